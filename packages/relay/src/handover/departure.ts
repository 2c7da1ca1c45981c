import type { Emitter } from '../emitter.js'
import type { RelayParts } from '../relay-parts.js'
import type { AllocationTraffic, RelayAllocation, RelayEvents } from '../relay-types.js'
import { parseRelayChange, parseRelayState } from '../state/relay-state.js'
import type { StoredState } from '../state/stored-state.js'
import { fieldsOf } from '../untrusted.js'
import { within } from '../within.js'
import { handOver } from './hand-over.js'
import type { HandOverChannel, HandOverKind, HandOverLine } from './hand-over-line.js'
import { isName } from './handed-fields.js'
import { TrafficGrowth } from './traffic-growth.js'

const REPORT_EVERY_MS = 1_000
/** For a successor that does not take what it is told. */
const FAREWELL_MS = 2_000

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
        const follow = readFollow(kind, body)
        if (follow !== undefined) this.#follow(follow)
        return false
      },
      onEnd: () => this.#end(),
    })
    // What was counted since the state was described: from its first report on the successor has no less than this process told of.
    this.#report()
  }

  /** Nothing will be counted any more. Resolves when the successor knows, is gone or does not listen. */
  async close(): Promise<void> {
    const { line } = this.#options
    this.#report()
    this.#end()
    await within(FAREWELL_MS, line.send('done'))
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

/** Undefined: it is no such thing. */
function readFollow(kind: HandOverKind, body: unknown): Follow | undefined {
  const { allocations, upsert, gone, deviceId } =
    fieldsOf<Record<'allocations' | 'upsert' | 'gone' | 'deviceId', unknown>>(body)
  if (kind === 'state') {
    const parsed = parseRelayState({ revision: 0, allocations })
    return parsed.ok ? { kind, allocations: parsed.state.allocations } : undefined
  }
  if (kind === 'change') {
    const parsed = parseRelayChange({ revision: 0, upsert, remove: gone })
    return parsed.ok ? { kind, upsert: parsed.change.upsert, gone: parsed.change.remove } : undefined
  }
  return kind === 'cut_device' && isName(deviceId) ? { kind, deviceId } : undefined
}
