import type { Disposer, Events, Logger } from '@sallyport/core'
import { allocationsChanged } from './events.js'

/** Brings changed allocations to relays and agents, once the database has them. */
export interface ChangeFeed {
  /** The relay of this instance has them when it resolves; agents and the other instances are told. */
  announce(deviceIds: readonly string[]): Promise<void>
  /** Follows the other instances. */
  listen(): Disposer
}

interface ChangeFeedOptions {
  readonly events: Events
  readonly logger: Logger
  readonly syncRelays: () => Promise<void>
  /** Sends a device its state if it is connected here. */
  readonly pushState: (deviceId: string) => void
}

export function createChangeFeed({ events, logger, syncRelays, pushState }: ChangeFeedOptions): ChangeFeed {
  const here = async (deviceIds: readonly string[]): Promise<void> => {
    for (const deviceId of deviceIds) pushState(deviceId)
    await syncRelays()
  }
  return {
    async announce(deviceIds) {
      const told = events.emit(allocationsChanged, { deviceIds: [...deviceIds] }).catch((error: unknown) => {
        logger.error({ err: error, deviceIds }, 'the other instances could not be told of changed allocations')
      })
      await here(deviceIds)
      await told
    },
    listen: () => events.on(allocationsChanged, ({ deviceIds }, { remote }) => (remote ? here(deviceIds) : undefined)),
  }
}
