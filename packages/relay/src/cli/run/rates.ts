import type { AgentTraffic } from '../../agent-types.js'

/** What passes now, of one allocation at all its relays. */
export interface Rate {
  /** Players who are there. */
  open: number
  /** Bytes a second from players, */
  inPerSecond: number
  /** and to them. */
  outPerSecond: number
}

interface Sample {
  at: number
  bytesIn: number
  bytesOut: number
  rate: Rate
}

/** How much of the newest second is in what is shown; the rest is what was shown before. */
const WEIGHT = 0.6
/** A rate of two looks in quick succession would be noise. */
const MIN_GAP_MS = 250

/** Rates from running totals. */
export class Rates {
  #samples: Map<number, Sample> = new Map()

  /** `now` in milliseconds of a clock that only goes on. Allocations that are not in `totals` are forgotten. */
  take(totals: readonly AgentTraffic[], now: number): ReadonlyMap<number, Rate> {
    const sums = new Map<number, { bytesIn: number; bytesOut: number; open: number }>()
    for (const { allocationId, bytesIn, bytesOut, open } of totals) {
      const sum = sums.get(allocationId) ?? { bytesIn: 0, bytesOut: 0, open: 0 }
      sums.set(allocationId, {
        bytesIn: sum.bytesIn + bytesIn,
        bytesOut: sum.bytesOut + bytesOut,
        open: sum.open + open,
      })
    }
    const samples = new Map<number, Sample>()
    for (const [id, sum] of sums) samples.set(id, next(this.#samples.get(id), sum, now))
    this.#samples = samples
    return new Map([...samples].map(([id, { rate }]) => [id, rate]))
  }
}

function next(
  before: Sample | undefined,
  { bytesIn, bytesOut, open }: { bytesIn: number; bytesOut: number; open: number },
  now: number,
): Sample {
  if (before === undefined) return { at: now, bytesIn, bytesOut, rate: { open, inPerSecond: 0, outPerSecond: 0 } }
  const passed = now - before.at
  if (passed < MIN_GAP_MS) return { ...before, rate: { ...before.rate, open } }
  const smooth = (was: number, grown: number): number => {
    const newest = (Math.max(grown, 0) * 1_000) / passed
    const value = WEIGHT * newest + (1 - WEIGHT) * was
    return value < 1 ? 0 : value
  }
  const rate = {
    open,
    inPerSecond: smooth(before.rate.inPerSecond, bytesIn - before.bytesIn),
    outPerSecond: smooth(before.rate.outPerSecond, bytesOut - before.bytesOut),
  }
  return { at: now, bytesIn, bytesOut, rate }
}
