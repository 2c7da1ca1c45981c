import type { Presence } from './presence.js'

/** The same presence; `tell` hears of the devices that came or went once the database has it. */
export function tellPresence(
  presence: Presence,
  tell: { readonly devices: (ids: readonly string[]) => void; readonly everything: () => void },
): Presence {
  return {
    ...presence,
    async connected(channels) {
      const connected = await presence.connected(channels)
      tell.devices(connected.flatMap((device) => device?.id ?? []))
      return connected
    },
    async disconnected(channels) {
      await presence.disconnected(channels)
      tell.devices(channels.map(({ deviceId }) => deviceId))
    },
    async restore(channels) {
      await presence.restore(channels)
      tell.devices(channels.map(({ deviceId }) => deviceId))
    },
    async clear(all) {
      await presence.clear(all)
      tell.everything()
    },
  }
}
