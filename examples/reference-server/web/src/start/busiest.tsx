import type { Device } from '@sallyport/relay/client'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useAllTraffic } from '../live.js'
import { Players, RateIn, RateOut } from '../tunnels/live-numbers.js'
import { addressOf, protocolOf, type Tunnel } from '../tunnels/pairs.js'
import { StateBadge } from '../tunnels/state-badge.js'
import { Copy } from '../ui/copy.js'
import { type Column, Table } from '../ui/table.js'

interface BusiestProps {
  readonly tunnels: readonly Tunnel[]
  readonly devices: readonly Device[]
}

const mostShown = 5
/** Rows that change places every second cannot be read. */
const reorderMs = 10_000

/** Those with the most players, then with the most traffic. */
export function Busiest({ tunnels, devices }: BusiestProps) {
  const busiest = useBusiest(tunnels)
  const deviceOf = ({ main }: Tunnel) => devices.find(({ id }) => id === main.deviceId)
  const columns: readonly Column<Tunnel>[] = [
    {
      title: 'Tunnel',
      cell: ({ main }) => (
        <a class="name" href={`/tunnels/${main.id}`}>
          <bdi>{main.name ?? deviceOf({ main } as Tunnel)?.name ?? addressOf(main)}</bdi>
        </a>
      ),
    },
    {
      title: 'Public address',
      cell: (tunnel) => (
        <span class="pair address">
          <code>{addressOf(tunnel.main)}</code>
          <span class="text-light">{protocolOf(tunnel)}</span>
          <Copy text={addressOf(tunnel.main)} label={`Copy ${addressOf(tunnel.main)}`} />
        </span>
      ),
    },
    { title: 'State', cell: (tunnel) => <StateBadge tunnel={tunnel} device={deviceOf(tunnel)} /> },
    { title: 'Players', numeric: true, cell: (tunnel) => <Players tunnel={tunnel} /> },
    { title: 'In', numeric: true, cell: (tunnel) => <RateIn tunnel={tunnel} /> },
    { title: 'Out', numeric: true, cell: (tunnel) => <RateOut tunnel={tunnel} /> },
  ]
  return <Table label="Busiest tunnels" columns={columns} rows={busiest} rowKey={({ key }) => key} />
}

function useBusiest(tunnels: readonly Tunnel[]): readonly Tunnel[] {
  const traffic = useAllTraffic()
  const latest = useRef(traffic)
  latest.current = traffic
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setTurn((before) => before + 1), reorderMs)
    return () => clearInterval(timer)
  }, [])
  const keys = tunnels.map(({ key }) => key).join()
  // Anew in its own time, or when there are others.
  const order = useMemo(() => {
    const weights = tunnels.map((tunnel) => ({ key: tunnel.key, weight: weightOf(tunnel, latest.current) }))
    return weights
      .sort(
        (one, other) =>
          other.weight[0] - one.weight[0] || other.weight[1] - one.weight[1] || other.weight[2] - one.weight[2],
      )
      .slice(0, mostShown)
      .map(({ key }) => key)
  }, [keys, turn])
  const byKey = new Map(tunnels.map((tunnel) => [tunnel.key, tunnel]))
  return order.flatMap((key) => byKey.get(key) ?? [])
}

/** Players, bytes per second, bytes for good. */
function weightOf({ halves }: Tunnel, traffic: ReturnType<typeof useAllTraffic>): readonly [number, number, number] {
  let [players, rate, bytes] = [0, 0, 0]
  for (const { id, traffic: listed } of halves) {
    const live = traffic.get(id)
    const { open, bytesIn, bytesOut } = live ?? listed
    players += open
    bytes += bytesIn + bytesOut
    rate += live ? live.bytesInPerSecond + live.bytesOutPerSecond : 0
  }
  return [players, rate, bytes]
}
