import type { Cache } from '@sallyport/core'
import type { RunningTotals } from './running-totals.js'

/** Running totals of one relay, as the instance that steers it last told the others. */
export interface SharedTotals {
  readonly epoch: string
  readonly totals: ReadonlyMap<number, RunningTotals>
}

/** Running totals between instances, by the cache that they share. What fails is nothing known. */
export interface SharedTraffic {
  /** Tells what is going on on a relay; the most active first, what is beyond the bound is left out. */
  publish(relayId: string, shared: SharedTotals): Promise<void>
  read(relayId: string): Promise<SharedTotals | undefined>
}

type Entry = readonly [id: number, i: number, o: number, c: number, open: number, inRate: number, outRate: number]
interface Message {
  readonly epoch: string
  readonly totals: readonly Entry[]
}

const ttlMs = 5_000
/** Allocations of one message, about 50 bytes each. */
const maxEntries = 5_000
const fields = 7

export function createSharedTraffic(cache: Cache): SharedTraffic {
  const store = cache.namespace<Message>('tunnel.traffic', { ttlMs })
  return {
    async publish(relayId, { epoch, totals }) {
      const entries = [...totals].map(([id, { bytesIn, bytesOut, connections, open, ...rate }]): Entry => {
        return [id, bytesIn, bytesOut, connections, open, rate.bytesInPerSecond, rate.bytesOutPerSecond]
      })
      if (entries.length > maxEntries) entries.sort((a, b) => b[5] + b[6] - a[5] - a[6])
      await store.set(relayId, { epoch, totals: entries.slice(0, maxEntries) }, ttlMs)
    },
    async read(relayId) {
      const message: unknown = await store.get(relayId)
      return isMessage(message) ? { epoch: message.epoch, totals: toTotals(message.totals) } : undefined
    },
  }
}

/** Another version of the program may write to the same cache. */
function isMessage(value: unknown): value is Message {
  const { epoch, totals } = (value ?? {}) as Partial<Record<keyof Message, unknown>>
  return typeof epoch === 'string' && Array.isArray(totals) && totals.length <= maxEntries && totals.every(isEntry)
}

function isEntry(value: unknown): value is Entry {
  return Array.isArray(value) && value.length === fields && value.every((part) => Number.isFinite(part) && part >= 0)
}

function toTotals(entries: readonly Entry[]): Map<number, RunningTotals> {
  return new Map(
    entries.map(([id, bytesIn, bytesOut, connections, open, bytesInPerSecond, bytesOutPerSecond]) => [
      id,
      { bytesIn, bytesOut, connections, open, bytesInPerSecond, bytesOutPerSecond },
    ]),
  )
}
