import type { Emitter } from '../emitter.js'
import type { RelayParts } from '../relay-parts.js'
import type { AllocationTraffic, RelayAllocation, RelayEvents } from '../relay-types.js'
import type { StoredState } from '../state/stored-state.js'
import { handOver } from './hand-over.js'
import type { HandOverChannel, HandOverLine } from './hand-over-line.js'
import { TrafficGrowth } from './traffic-growth.js'

const REPORT_EVERY_MS = 1_000

export interface DepartureOptions {
  line: HandOverLine
  parts: RelayParts
  growth: TrafficGrowth
  events: Emitter<RelayEvents>
  /** The process before this one, which may have players too. */
  pass: (follow: Follow) => void
}

/** What the successor lets its predecessors know, as far as their players are concerned. */
export type Follow =
  | { kind: 'state'; allocations: readonly RelayAllocation[] }
  | { kind: 'change'; upsert: readonly RelayAllocation[]; gone: readonly number[] }
  | { kind: 'cut_device'; deviceId: string }

export interface LeaveOptions extends Pick<DepartureOptions, 'parts' | 'events' | 'pass'> {
  channel: HandOverChannel
  timeoutMs: number
  stored: StoredState
  totals: ReadonlyMap<number, AllocationTraffic>
  epoch: string
}

/** Hands the relay over. Rejects with RELAY_ERR_HANDOVER_FAILED; then all is as before. */
export async function leave(options: LeaveOptions): Promise<Departure> {
  const { channel, timeoutMs, parts, stored, totals, events, epoch, pass } = options
  let growth = new TrafficGrowth(totals)
  const source = {
    parts,
    admissions: stored.admissions,
    freeze: () => stored.mute(),
    describe: () => {
      growth = new TrafficGrowth(totals)
      return { snapshot: stored.snapshot(), epoch, totals: [...totals.values()] }
    },
  }
  try {
    const line = await handOver(source, channel, timeoutMs)
    return new Departure({ line, parts, growth, events, pass })
  } catch (error) {
    stored.unmute()
    stored.saveInBackground()
    throw error
  }
}

/** The old process, after another has taken over: its players are counted, and cut, as the successor's are. */
export class Departure {
  readonly #options: DepartureOptions
  readonly #timer: NodeJS.Timeout
  readonly #off: () => void

  constructor(options: DepartureOptions) {
    this.#options = options
    const { line, events } = options
    this.#timer = setInterval(() => this.#report(), REPORT_EVERY_MS)
    this.#off = events.on('connection', (event) => void line.send('connection', event))
    line.handle({
      onMessage: ({ kind, body }) => {
        if (kind === 'change' || kind === 'state' || kind === 'cut_device')
          this.#follow({ ...(body as object), kind } as Follow)
      },
      onEnd: () => this.#end(),
    })
  }

  /** Nothing will be counted any more. Resolves when the successor knows, or is gone. */
  async close(): Promise<void> {
    const { line } = this.#options
    this.#report()
    this.#end()
    await line.send('done')
    line.close()
  }

  #follow(follow: Follow): void {
    const { parts, pass } = this.#options
    if (follow.kind === 'change') parts.table.follow(follow.upsert, follow.gone)
    else if (follow.kind === 'state') parts.table.followAll(follow.allocations)
    else parts.table.cutDevice(follow.deviceId)
    pass(follow)
  }

  #report(): void {
    const { line, growth } = this.#options
    const grown: AllocationTraffic[] = growth.take()
    if (grown.length > 0) void line.send('traffic', grown)
  }

  #end(): void {
    clearInterval(this.#timer)
    this.#off()
  }
}
