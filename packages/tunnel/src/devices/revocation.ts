import type { Disposer, Events, Logger } from '@sallyport/core'
import type { ChangedAllocations } from '../change-feed.js'
import { devicesRevoked } from '../events.js'
import { inChunks } from '../in-chunks.js'

/** Ends what devices hold open, once the database says that their tokens are dead. */
export interface Revocation {
  /**
   * Here before it resolves, on the other instances by event. An instance that misses the event finds out when it next
   * looks at its presence.
   */
  announce(deviceIds: readonly string[]): Promise<void>
  /** Follows the other instances. */
  listen(): Disposer
}

interface RevocationOptions {
  readonly events: Events
  readonly logger: Logger
  /** Closes control channels (4403), links and players of this instance. */
  readonly cut: (deviceId: string) => void
  /** Brings the relays that are steered here up to date. Never rejects. */
  readonly syncRelays: (changed: ChangedAllocations) => Promise<void>
}

/** An event holds at most 64 KiB. */
const maxPerEvent = 1_000

export function createRevocation({ events, logger, cut, syncRelays }: RevocationOptions): Revocation {
  const here = async (deviceIds: readonly string[]): Promise<void> => {
    for (const deviceId of deviceIds) cut(deviceId)
    await syncRelays({ deviceIds })
  }
  return {
    async announce(deviceIds) {
      if (deviceIds.length === 0) return
      const told = Promise.all(
        inChunks(deviceIds, maxPerEvent).map((some) => events.emit(devicesRevoked, { deviceIds: some })),
      )
      const logged = told.catch((error: unknown) => {
        logger.error({ err: error, deviceIds }, 'the other instances could not be told of revoked devices')
      })
      await here(deviceIds)
      await logged
    },
    listen: () => events.on(devicesRevoked, ({ deviceIds }, { remote }) => (remote ? here(deviceIds) : undefined)),
  }
}
