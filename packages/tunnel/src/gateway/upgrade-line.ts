import { randomInt } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { coreErrors } from '@sallyport/core'

/** Counts upgrades until they are answered: each costs the database a look at its token. */
export interface UpgradeLine {
  /** Counts the upgrade. Throws `CORE_ERR_UNAVAILABLE` (503) when too much is under way. */
  enter(request: IncomingMessage): void
  leave(request: IncomingMessage): void
}

/** Upgrades and welcomes that wait for the database. */
const maxUnderWay = 2_000
/** Those who are turned away at one time shall not come back at one time. */
const retryAfterSeconds = { from: 1, to: 10 }

/** @param welcomes how many welcomes are under way */
export function createUpgradeLine(welcomes: () => number): UpgradeLine {
  const line = new Map<IncomingMessage, () => void>()
  return {
    enter(request) {
      if (line.size + welcomes() >= maxUnderWay) {
        const retryAfter = randomInt(retryAfterSeconds.from, retryAfterSeconds.to + 1)
        throw coreErrors.UNAVAILABLE({ reason: 'Too many control channels are being opened' }, { retryAfter })
      }
      const { socket } = request
      const gone = (): void => {
        line.delete(request)
        // It may live for months; the request need not.
        socket.off('close', gone)
      }
      line.set(request, gone)
      socket.once('close', gone)
      // What only looks like an upgrade is answered as a request, and its socket stays.
      request.once('close', gone)
    },
    leave: (request) => line.get(request)?.(),
  }
}
