import { defineEvent, type EventToken } from '@sallyport/core'

/** Devices whose token died or that are gone: their channels are closed and their players cut, on every instance. */
export const devicesRevoked: EventToken<{ deviceIds: string[] }> = defineEvent('tunnel.devices.revoked')

/** Devices whose allocations changed: relays and agents are given the new state. */
export const allocationsChanged: EventToken<{ deviceIds: string[] }> = defineEvent('tunnel.allocations.changed')
