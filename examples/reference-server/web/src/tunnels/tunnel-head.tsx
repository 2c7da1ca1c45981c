import type { Allocation, Device } from '@sallyport/relay/client'
import type { ComponentChildren } from 'preact'
import { useTrafficOf } from '../live.js'
import { Copy } from '../ui/copy.js'
import { bytes, rate, Time } from '../ui/format.js'
import { DeviceName } from './device-name.js'
import { addressOf, protocolOf, type Tunnel, targetOf } from './pairs.js'
import { StateBadge } from './state-badge.js'

export interface TunnelProps {
  /** The one that the page is of. */
  readonly allocation: Allocation
  /** It and its twin, if it has one. */
  readonly tunnel: Tunnel
  readonly device: Device | undefined
}

/** Where players go, how it is, and what passes now. */
export function TunnelHead({ allocation, tunnel, device }: TunnelProps) {
  const address = addressOf(allocation)
  return (
    <section class="card section" aria-label="Address and state">
      <div class="big-address">
        <span dir="ltr">{address}</span>
        <Copy text={address} label={`Copy ${address}`} />
        {tunnel.halves.length > 1 && <Halves allocation={allocation} tunnel={tunnel} />}
      </div>
      <StateBadge tunnel={{ ...tunnel, halves: [allocation] }} device={device} />
      <Numbers allocation={allocation} />
      <dl class="facts">
        <Fact name="Device">
          <DeviceName device={device} />
        </Fact>
        <Fact name="Local service">{targetOf(allocation)}</Fact>
        <Fact name="Protocol">{protocolOf({ ...tunnel, halves: [allocation] })}</Fact>
        <Fact name="Relay">
          <bdi>{allocation.relayName}</bdi>
        </Fact>
        <Fact name="Created">
          <Time at={allocation.createdAt} />
        </Fact>
      </dl>
    </section>
  )
}

/** TCP and UDP of one number are two to the panel, each with limits of its own. */
function Halves({ allocation, tunnel }: Pick<TunnelProps, 'allocation' | 'tunnel'>) {
  return (
    <nav class="segments" aria-label="Protocol">
      {tunnel.halves.map(({ id, protocol }) => (
        <a
          key={id}
          class="button outline small"
          href={`/tunnels/${id}`}
          aria-current={id === allocation.id ? 'page' : undefined}
        >
          {protocol.toUpperCase()}
        </a>
      ))}
    </nav>
  )
}

function Numbers({ allocation }: { allocation: Allocation }) {
  const { open, connections, bytesIn, bytesOut, bytesInPerSecond, bytesOutPerSecond } = useTrafficOf([allocation])
  return (
    <dl class="stats">
      <Stat name="Players now" value={open.toLocaleString('en')} more={`${connections.toLocaleString('en')} ever`} />
      <Stat name="In, from players" value={rate(bytesInPerSecond)} more={`${bytes(bytesIn)} in all`} />
      <Stat name="Out, to players" value={rate(bytesOutPerSecond)} more={`${bytes(bytesOut)} in all`} />
    </dl>
  )
}

function Stat({ name, value, more }: { name: string; value: string; more: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> <span class="text-light">{more}</span>
      </dd>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
