import type { Device } from '@sallyport/relay/client'
import type { Tunnel } from '../tunnels/pairs.js'
import { stateOf, type TunnelState } from '../tunnels/state.js'

/** What keeps players out of a tunnel, first by how bad it is; a device that is away is told with the devices. */
export function troubleOf({ halves }: Tunnel, device: Device | undefined): TunnelState | undefined {
  const online = device && { ...device, online: true }
  const states = halves.map((half) => stateOf(half, online))
  return states.find(({ variant }) => variant === 'danger') ?? states.find(({ variant }) => variant === 'warning')
}

/** Whether players cannot get through, for whatever reason but that it is paused. */
export function isTrouble({ halves }: Tunnel, device: Device | undefined): boolean {
  return halves.some((half) => ['danger', 'warning'].includes(stateOf(half, device).variant))
}
