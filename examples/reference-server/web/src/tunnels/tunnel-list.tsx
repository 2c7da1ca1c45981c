import type { Allocation, Device } from '@sallyport/relay/client'
import { useMemo, useState } from 'preact/hooks'
import { Copy } from '../ui/copy.js'
import { plural } from '../ui/format.js'
import { type Column, Table } from '../ui/table.js'
import { DeviceName } from './device-name.js'
import { Players, RateIn, RateOut } from './live-numbers.js'
import { addressOf, pairUp, protocolOf, type Tunnel, targetOf } from './pairs.js'
import { stateOf } from './state.js'
import { StateBadge } from './state-badge.js'

/** With more than this there is a box to filter them. */
const manyTunnels = 20
/** More at once nobody reads, and a browser takes its time over them. */
const maxShown = 200

interface TunnelListProps {
  readonly allocations: readonly Allocation[]
  readonly devices: readonly Device[]
}

export function TunnelList({ allocations, devices }: TunnelListProps) {
  const [filter, setFilter] = useState('')
  const tunnels = useMemo(() => pairUp(allocations), [allocations])
  const deviceById = useMemo(() => new Map(devices.map((device) => [device.id, device])), [devices])
  const found = useMemo(() => search(tunnels, deviceById, filter), [tunnels, deviceById, filter])
  const shown = found.slice(0, maxShown)
  return (
    <section class="card" aria-label="Tunnels">
      {tunnels.length > manyTunnels && (
        <div class="filter">
          <input
            type="search"
            aria-label="Filter tunnels"
            placeholder="Filter by name, address, device or state"
            value={filter}
            onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          />
          <p class="text-light" role="status">
            {told(found.length, shown.length, tunnels.length)}
          </p>
        </div>
      )}
      {shown.length > 0 && (
        <Table label="Tunnels" columns={columnsFor(deviceById)} rows={shown} rowKey={({ key }) => key} />
      )}
    </section>
  )
}

function columnsFor(deviceById: ReadonlyMap<string, Device>): readonly Column<Tunnel>[] {
  const deviceOf = ({ main }: Tunnel) => deviceById.get(main.deviceId)
  return [
    { title: 'Address', cell: (tunnel) => <Address tunnel={tunnel} /> },
    { title: 'Leads to', cell: (tunnel) => <Target tunnel={tunnel} device={deviceOf(tunnel)} /> },
    { title: 'State', cell: (tunnel) => <StateBadge tunnel={tunnel} device={deviceOf(tunnel)} /> },
    { title: 'Players', numeric: true, cell: (tunnel) => <Players tunnel={tunnel} /> },
    { title: 'In', numeric: true, cell: (tunnel) => <RateIn tunnel={tunnel} /> },
    { title: 'Out', numeric: true, cell: (tunnel) => <RateOut tunnel={tunnel} /> },
  ]
}

function Address({ tunnel }: { tunnel: Tunnel }) {
  const { main, halves } = tunnel
  const address = addressOf(main)
  const names = [...new Set(halves.flatMap(({ name }) => name ?? []))]
  return (
    <div class="tunnel-address">
      <div>
        <a href={`/tunnels/${main.id}`}>{address}</a>
        <p class="text-light">
          {protocolOf(tunnel)}
          {names.length > 0 && (
            <>
              {' · '}
              <bdi>{names.join(', ')}</bdi>
            </>
          )}
        </p>
      </div>
      <Copy text={address} label={`Copy ${address}`} />
    </div>
  )
}

function Target({ tunnel, device }: { tunnel: Tunnel; device: Device | undefined }) {
  return (
    <div class="tunnel-target">
      <DeviceName device={device} />
      <p class="text-light">{[...new Set(tunnel.halves.map(targetOf))].join(', ')}</p>
    </div>
  )
}

function search(
  tunnels: readonly Tunnel[],
  deviceById: ReadonlyMap<string, Device>,
  filter: string,
): readonly Tunnel[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return tunnels
  return tunnels.filter((tunnel) => {
    const device = deviceById.get(tunnel.main.deviceId)
    const texts = tunnel.halves.flatMap((half) => [half.name ?? '', targetOf(half), stateOf(half, device).words])
    const text = [addressOf(tunnel.main), protocolOf(tunnel), device?.name ?? '', ...texts].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function told(found: number, shown: number, all: number): string {
  if (found === 0) return 'No tunnel is like that.'
  const ofAll = found === all ? plural(all, 'tunnel') : `${plural(found, 'tunnel')} of ${all.toLocaleString('en')}`
  return shown < found ? `${ofAll}; the newest ${shown} are shown. Filter to find others.` : `${ofAll}.`
}
