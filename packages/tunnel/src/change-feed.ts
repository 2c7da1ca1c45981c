import type { Disposer, Events, Logger } from '@sallyport/core'
import { allocationsChanged } from './events.js'
import { inChunks } from './in-chunks.js'

/** What changed: the allocations of these devices, on these relays. */
export interface ChangedAllocations {
  readonly deviceIds: readonly string[]
  /** Left out: any. */
  readonly relayIds?: readonly string[]
}

/** Brings changed allocations to relays and agents, once the database has them. */
export interface ChangeFeed {
  /** The relays that this instance steers have them when it resolves; agents and the other instances are told. */
  announce(deviceIds: readonly string[], relayIds?: readonly string[]): Promise<void>
  /** Follows the other instances. */
  listen(): Disposer
}

interface ChangeFeedOptions {
  readonly events: Events
  readonly logger: Logger
  /** Never rejects. */
  readonly syncRelays: (changed: ChangedAllocations) => Promise<void>
  /** Sends a device its state if it is connected here. */
  readonly pushState: (deviceId: string) => void
}

/** An agent is told what became of its ports, but waits no longer than this for a relay that is slow. */
const maxWaitForRelaysMs = 1_000
/** Ids in one event, which holds at most 64 KiB. */
const maxDevicesPerEvent = 1_000
/** More of them are not named: every relay is looked at. */
const maxRelaysPerEvent = 250

export function createChangeFeed({ events, logger, syncRelays, pushState }: ChangeFeedOptions): ChangeFeed {
  const here = async (changed: ChangedAllocations): Promise<void> => {
    const push = once(() => {
      for (const deviceId of changed.deviceIds) pushState(deviceId)
    })
    const timer = setTimeout(push, maxWaitForRelaysMs)
    try {
      await syncRelays(changed)
    } finally {
      clearTimeout(timer)
      push()
    }
  }
  return {
    async announce(deviceIds, relayIds) {
      if (deviceIds.length === 0) return
      const ids = [...new Set(deviceIds)]
      const named = relayIds && relayIds.length <= maxRelaysPerEvent ? { relayIds: [...new Set(relayIds)] } : {}
      const told = Promise.all(
        inChunks(ids, maxDevicesPerEvent).map((some) => events.emit(allocationsChanged, { deviceIds: some, ...named })),
      ).catch((error: unknown) => {
        logger.error({ err: error, deviceIds: ids }, 'the other instances could not be told of changed allocations')
      })
      await here({ deviceIds: ids, ...named })
      await told
    },
    listen: () => events.on(allocationsChanged, (changed, { remote }) => (remote ? here(changed) : undefined)),
  }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}
