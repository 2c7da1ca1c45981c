import type { Allocation, Device } from '@sallyport/relay/client'
import type { ComponentChildren } from 'preact'
import { isAgent } from '../devices/kinds.js'
import { useTrafficOf } from '../live.js'
import type { Tunnel } from '../tunnels/pairs.js'
import { plural, rate } from '../ui/format.js'
import { isTrouble } from './trouble.js'

interface TotalsProps {
  readonly devices: readonly Device[]
  readonly allocations: readonly Allocation[]
  readonly tunnels: readonly Tunnel[]
}

/** The panel in five numbers. */
export function Totals({ devices, allocations, tunnels }: TotalsProps) {
  const { open, bytesInPerSecond, bytesOutPerSecond } = useTrafficOf(allocations)
  const agents = devices.filter(isAgent)
  const byId = new Map(devices.map((device) => [device.id, device]))
  const online = agents.filter((device) => device.online).length
  const isOpen = tunnels.filter(({ halves }) => halves.every(({ status }) => status === 'open')).length
  const trouble = tunnels.filter((tunnel) => isTrouble(tunnel, byId.get(tunnel.main.deviceId))).length
  return (
    <dl class="totals" aria-label="Now">
      <Total name="Players now">{open.toLocaleString('en')}</Total>
      <Total name="From players">{rate(bytesInPerSecond)}</Total>
      <Total name="To players">{rate(bytesOutPerSecond)}</Total>
      <Total name="Devices online" note={`of ${agents.length.toLocaleString('en')}`}>
        {online.toLocaleString('en')}
      </Total>
      <Total
        name="Tunnels open"
        note={`of ${tunnels.length.toLocaleString('en')}`}
        {...(trouble > 0 && { trouble: `${plural(trouble, 'needs', 'need')} attention` })}
      >
        {isOpen.toLocaleString('en')}
      </Total>
    </dl>
  )
}

interface TotalProps {
  readonly name: string
  readonly note?: string
  readonly trouble?: string
  readonly children: ComponentChildren
}

function Total({ name, note, trouble, children }: TotalProps) {
  return (
    <div class="card">
      <dt>{name}</dt>
      <dd>
        <span class="figure">{children}</span> {note && <span class="text-light">{note}</span>}
        {trouble && <span class="trouble">{trouble}</span>}
      </dd>
    </div>
  )
}
