import { setTimeout as delay } from 'node:timers/promises'
import type { Disposer, Logger, Sql } from '@sallyport/core'
import type { AllocationRow, Traffic } from '../allocations/allocation.js'
import { createHandlers } from '../handlers.js'
import { type CountedRelay, createRelayMeter, type RelayMeter } from './relay-meter.js'
import { type CountedRow, joinTotals, type LiveTraffic, type RunningTotals } from './running-totals.js'
import type { SharedTotals, SharedTraffic } from './shared-traffic.js'
import { writeTotals } from './write-totals.js'

/** Counts what passes the relays that this instance steers, and knows what the others count. */
export interface TrafficCounter {
  /** Stores what this relay counts, from now until the disposer is called, which stores the last of it and never rejects. */
  add(relay: CountedRelay): () => Promise<void>
  /** Looks at the relays steered here. */
  observe(): void
  /** Asks the other instances about these relays, unless it did within the last second. Never rejects. */
  refresh(relayIds: Iterable<string>): Promise<void>
  /** As last observed or refreshed; undefined when nothing is known beyond the row. */
  of(row: AllocationRow): Traffic | undefined
  /** The same, with how fast it grows. */
  live(row: CountedRow): LiveTraffic | undefined
  /** Called after each sample. */
  onSample(handler: () => void): Disposer
  /**
   * What this instance has stored since it began, and players on relays steered here, as last observed. It never shrinks, and summed over
   * all instances it has each byte once, however often relays go from one to another.
   */
  passed(): Traffic
  /** Brings what changed since the last time to the database. What fails is made up for by the next. */
  flush(): Promise<void>
  /** Measures rates and tells the other instances; to be called each second. Never rejects. */
  sample(nowMs?: number): Promise<void>
}

interface TrafficOptions {
  readonly sql: Sql
  readonly logger: Logger
  /** Left out: there are no other instances. */
  readonly shared?: SharedTraffic | undefined
}

interface Memo {
  readonly atMs: number
  readonly reading: Promise<void>
  value: SharedTotals | undefined
}

/** How long is believed what the other instances told. */
const memoMs = 900
/** Relays remembered; the oldest give way. */
const maxMemos = 1_000
/** When a relay leaves, rows that were held are tried again. */
const lastRetries = 2
const lastRetryMs = 50

export function createTrafficCounter({ sql, logger, shared }: TrafficOptions): TrafficCounter {
  const meters = new Map<string, RelayMeter>()
  const memos = new Map<string, Memo>()
  const passed = { bytesIn: 0, bytesOut: 0, connections: 0 }
  /** Relays of which the last message had something in it. */
  const told = new Set<string>()
  const sampled = createHandlers<void>(logger)

  const store = async (meter: RelayMeter): Promise<void> => {
    const due = meter.due()
    if (due.length === 0) return
    const { ids, grown } = await writeTotals(sql, meter.relay.id, meter.relay.epoch, due)
    meter.stored(due.filter(({ allocationId }) => ids.has(allocationId)))
    passed.bytesIn += grown.bytesIn
    passed.bytesOut += grown.bytesOut
    passed.connections += grown.connections
  }

  const publish = async ({ relay, ...meter }: RelayMeter): Promise<void> => {
    const totals = meter.news()
    if (totals.size === 0 && !told.has(relay.id)) return
    if (totals.size === 0) told.delete(relay.id)
    else told.add(relay.id)
    await shared?.publish(relay.id, { epoch: relay.epoch, totals })
  }

  const remember = (relayId: string, from: SharedTraffic): Promise<void> => {
    const known = memos.get(relayId)
    const atMs = performance.now()
    if (known && atMs - known.atMs < memoMs) return known.reading
    const reading = from.read(relayId).then(
      (value) => {
        memo.value = value
      },
      (error: unknown) => logger.warn({ err: error, relayId }, 'the traffic on another instance is not known'),
    )
    const memo: Memo = { atMs, reading, value: known?.value }
    memos.delete(relayId)
    memos.set(relayId, memo)
    for (const oldest of memos.keys()) {
      if (memos.size <= maxMemos) break
      memos.delete(oldest)
    }
    return reading
  }

  const running = ({ id, relay_id }: CountedRow): readonly [string, RunningTotals | undefined] | undefined => {
    const meter = meters.get(relay_id)
    if (meter) return [meter.relay.epoch, meter.running(Number(id))]
    const memo = memos.get(relay_id)?.value
    return memo && [memo.epoch, memo.totals.get(Number(id))]
  }

  const live = (row: CountedRow): LiveTraffic | undefined => {
    const [epoch, totals] = running(row) ?? []
    return epoch !== undefined && totals ? joinTotals(row, epoch, totals) : undefined
  }

  return {
    live,
    onSample: (handler) => sampled.on(handler),
    add(relay) {
      const meter = createRelayMeter(relay)
      meters.set(relay.id, meter)
      meter.read()
      let left: Promise<void> | undefined
      const leave = async (): Promise<void> => {
        meter.read()
        if (meters.get(relay.id) === meter) meters.delete(relay.id)
        try {
          await store(meter)
          // What somebody held at that moment.
          for (let retry = 0; retry < lastRetries && meter.due().length > 0; retry += 1) {
            await delay(lastRetryMs)
            await store(meter)
          }
        } catch (error) {
          logger.error({ err: error, relayId: relay.id }, 'the last traffic of a relay could not be stored')
        }
      }
      return () => {
        left ??= leave()
        return left
      }
    },
    observe() {
      for (const meter of meters.values()) meter.read()
    },
    async refresh(relayIds) {
      if (!shared) return
      const elsewhere = [...new Set(relayIds)].filter((id) => !meters.has(id)).slice(0, maxMemos)
      await Promise.all(elsewhere.map((id) => remember(id, shared)))
    },
    of(row) {
      const now = live(row)
      if (!now) return undefined
      const { bytesIn, bytesOut, connections, open } = now
      return { bytesIn, bytesOut, connections, open }
    },
    passed() {
      let open = 0
      for (const meter of meters.values()) open += meter.open()
      return { ...passed, open }
    },
    async flush() {
      const failed: unknown[] = []
      for (const meter of [...meters.values()]) {
        meter.read()
        await store(meter).catch((error: unknown) => failed.push(error))
      }
      if (failed.length > 0) throw failed[0]
    },
    async sample(nowMs = performance.now()) {
      for (const meter of meters.values()) meter.sample(nowMs)
      sampled.tell(undefined)
      if (shared) await Promise.all([...meters.values()].map(publish)).catch(() => undefined)
    },
  }
}
