import type { EventStream } from '@sallyport/core'
import type { ItemId, ListReading } from './list-reading.js'
import type { TrafficNumbers } from './traffic-numbers.js'

export type ListName = 'devices' | 'allocations' | 'relays'
export const listNames: readonly ListName[] = ['devices', 'allocations', 'relays']

/** One stream, with what it has not been told yet. */
export interface Subscriber {
  readonly stream: EventStream
  /** Tells it what a reading found, or notes that it has to be told later. */
  deliver(list: ListName, reading: ListReading): void
  /** The same of numbers that are others than a second ago. */
  deliverTraffic(changed: ReadonlySet<number>, numbers: TrafficNumbers): void
  /** Lists of which it missed something. */
  behind(): Iterable<ListName>
  /** Whether it may be told of a list of which it has heard nothing. */
  awaits(list: ListName): boolean
}

/** Who missed more than this is told everything anew. */
const maxMissed = 20_000

export function createSubscriber(stream: EventStream): Subscriber {
  /** Ids that it was not told of; not there: it has been told nothing of the list at all. */
  const missed = new Map<ListName, Set<ItemId>>()
  let missedTraffic: Set<number> | undefined
  const late = new Set<ListName>()

  const tell = (list: ListName, reading: ListReading): void => {
    const left = missed.get(list)
    if (!left) stream.send(reading.all())
    else if (left.size > 0) stream.send(reading.some(new Set([...left, ...reading.touched])))
    else {
      const delta = reading.delta()
      if (delta) stream.send(delta)
    }
    missed.set(list, new Set())
    late.delete(list)
  }

  return {
    stream,
    deliver(list, reading) {
      if (stream.ready) {
        tell(list, reading)
        return
      }
      const left = missed.get(list)
      // However long it takes nothing: each item is remembered once.
      if (left) for (const id of reading.touched) left.add(id)
      if (left && left.size > maxMissed) {
        missed.delete(list)
        if (list === 'allocations') missedTraffic = undefined
      }
      if (!left || left.size > 0) late.add(list)
    },
    deliverTraffic(changed, numbers) {
      // Numbers of allocations that it has not heard of mean nothing to it.
      if (!missed.has('allocations')) return
      if (!stream.ready) {
        if (missedTraffic) for (const id of changed) missedTraffic.add(id)
        return
      }
      const before = missedTraffic ?? numbers.busy()
      const ids = new Set([...before, ...changed])
      missedTraffic = new Set()
      const frame = ids.size === changed.size ? numbers.changes() : numbers.some(ids)
      if (frame) stream.send(frame)
    },
    behind: () => late,
    awaits: (list) => !missed.has(list) && stream.ready,
  }
}
