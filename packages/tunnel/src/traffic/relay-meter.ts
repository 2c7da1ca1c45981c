import type { AllocationTraffic } from '@sallyport/relay'
import type { SteeredRelay } from '../relays/steered-relay.js'
import type { RunningTotals } from './running-totals.js'

/** What of a relay is needed to count. */
export type CountedRelay = Pick<SteeredRelay, 'id' | 'epoch' | 'traffic' | 'status'>

/** Reads one relay that this instance steers. */
export interface RelayMeter {
  readonly relay: CountedRelay
  /** Running totals now, by allocation. */
  read(): ReadonlyMap<number, AllocationTraffic>
  /** Reads, and measures rates since the last sample. */
  sample(nowMs: number): void
  running(id: number): RunningTotals | undefined
  /** What others should hear of: where something goes on, or is not in the database yet. */
  news(): Map<number, RunningTotals>
  /** Those that the database does not have as they are now. */
  due(): AllocationTraffic[]
  /** The database has these. */
  stored(totals: readonly AllocationTraffic[]): void
  /** Players now. */
  open(): number
}

interface Rate {
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
}

const still: Rate = Object.freeze({ bytesInPerSecond: 0, bytesOutPerSecond: 0 })
const msPerSecond = 1_000

export function createRelayMeter(relay: CountedRelay): RelayMeter {
  let now: ReadonlyMap<number, AllocationTraffic> = new Map()
  let sampled: ReadonlyMap<number, AllocationTraffic> = now
  let sampledAtMs: number | undefined
  let rates: ReadonlyMap<number, Rate> = new Map()
  const written = new Map<number, AllocationTraffic>()

  const read = (): typeof now => {
    const totals = relay.traffic()
    // A relay that has stopped tells nothing; what it told last is what is to be stored.
    if (totals.length === 0 && !relay.status().running) return now
    now = new Map(totals.map((one) => [one.allocationId, one]))
    for (const id of written.keys()) if (!now.has(id)) written.delete(id)
    return now
  }

  const isDue = (one: AllocationTraffic): boolean => {
    const { bytesIn, bytesOut, connections } = written.get(one.allocationId) ?? {
      bytesIn: 0,
      bytesOut: 0,
      connections: 0,
    }
    return one.bytesIn !== bytesIn || one.bytesOut !== bytesOut || one.connections !== connections
  }

  return {
    relay,
    read,
    sample(atMs) {
      read()
      const seconds = sampledAtMs === undefined ? 0 : (atMs - sampledAtMs) / msPerSecond
      const measured = new Map<number, Rate>()
      if (seconds > 0) {
        for (const [id, one] of now) {
          const was = sampled.get(id)
          const bytesIn = growth(was?.bytesIn, one.bytesIn)
          const bytesOut = growth(was?.bytesOut, one.bytesOut)
          if (bytesIn + bytesOut === 0) continue
          const perSecond = (bytes: number): number => Math.round(bytes / seconds)
          measured.set(id, { bytesInPerSecond: perSecond(bytesIn), bytesOutPerSecond: perSecond(bytesOut) })
        }
      }
      rates = measured
      sampled = now
      sampledAtMs = atMs
    },
    running(id) {
      const one = now.get(id)
      return one && withRate(one, rates.get(id))
    },
    news() {
      const news = new Map<number, RunningTotals>()
      for (const [id, one] of now) {
        const rate = rates.get(id)
        if (rate || one.open > 0 || isDue(one)) news.set(id, withRate(one, rate))
      }
      return news
    },
    due: () => [...now.values()].filter(isDue),
    stored(totals) {
      for (const one of totals) if (now.has(one.allocationId)) written.set(one.allocationId, one)
    },
    open() {
      let open = 0
      for (const one of now.values()) open += one.open
      return open
    },
  }
}

function withRate({ allocationId: _, ...totals }: AllocationTraffic, rate: Rate = still): RunningTotals {
  return { ...totals, ...rate }
}

/** What came since; all of it when the count began anew. */
function growth(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before
}
