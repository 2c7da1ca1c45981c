import { useLive, useTrafficOf } from '../live.js'
import { plural } from '../ui/format.js'

interface TunnelsLostProps {
  readonly of: { readonly ownerId: string } | { readonly organisationId: string }
}

/** How many devices and tunnels it will cost, as far as one may see them. */
export function TunnelsLost({ of }: TunnelsLostProps) {
  const { devices = [], allocations = [] } = useLive()
  const lost = devices.filter((device) =>
    'ownerId' in of ? device.ownerId === of.ownerId : device.organisationId === of.organisationId,
  )
  const ids = new Set(lost.map(({ id }) => id))
  const tunnels = allocations.filter(({ deviceId }) => ids.has(deviceId))
  const { open } = useTrafficOf(tunnels)
  if (lost.length === 0) return null
  return (
    <strong>
      Now: {plural(lost.length, 'device')}, {plural(tunnels.length, 'tunnel')}
      {open > 0 && `, ${plural(open, 'player')}`}.
    </strong>
  )
}
