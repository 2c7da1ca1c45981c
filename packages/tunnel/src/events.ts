import { defineEvent, type EventToken } from '@sallyport/core'

/** Devices whose token died or that are gone: their channels are closed and their players cut, on every instance. */
export const devicesRevoked: EventToken<{ deviceIds: string[] }> = defineEvent('tunnel.devices.revoked')

/**
 * Devices whose allocations changed: whoever steers their relays brings them up to date, whoever has their channels sends the
 * new state. `relayIds`: those concerned; left out: any.
 */
export const allocationsChanged: EventToken<{ deviceIds: string[]; relayIds?: string[] }> =
  defineEvent('tunnel.allocations.changed')

/** What relays made of changed allocations: told by the instance that steers them. */
export const allocationsServed: EventToken<{
  allocations: { id: number; deviceId: string; status: 'open' | 'failed' | 'closed' | 'removed' }[]
}> = defineEvent('tunnel.allocations.served')

/** Devices that have a newer channel on the instance that tells it: older ones are closed with 4409. */
export const channelsReplaced: EventToken<{ channels: { deviceId: string; sessionNumber: number }[] }> =
  defineEvent('tunnel.channels.replaced')

/** Relays that came, went or changed: devices with allocations on them are sent their state, with links and tickets. */
export const relaysChanged: EventToken<{ relayIds: string[] }> = defineEvent('tunnel.relays.changed')

/** What the lists of devices, allocations (by their devices' ids) and relays show has changed: whoever watches them looks again. */
export const listsChanged: EventToken<{ devices: string[]; allocations: string[]; relays: boolean; all?: boolean }> =
  defineEvent('tunnel.lists.changed')
