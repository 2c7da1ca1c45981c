import type { AllocationTraffic, CloseReason, RelayEvents, TransportProtocol } from '../relay-types.js'

export interface RecordedConnection {
  allocationId: number
  protocol: TransportProtocol
  remoteAddress: string
  remotePort: number
}

/** How far a connection has come, for another process where it goes on. */
export interface ConnectionProgress {
  bytesIn: number
  bytesOut: number
  /** Undefined: it has not been opened yet. */
  openForMs?: number
}

/** One player's connection from its first sight: keeps the allocation's totals and tells its events, each once. */
export class ConnectionRecord {
  readonly #about: RecordedConnection
  readonly #traffic: AllocationTraffic
  readonly #tell: (event: RelayEvents['connection']) => void
  #state: 'waiting' | 'open' | 'closed' = 'waiting'
  #openedAt = 0
  #bytesIn = 0
  #bytesOut = 0

  constructor(about: RecordedConnection, traffic: AllocationTraffic, tell: (event: RelayEvents['connection']) => void) {
    this.#about = about
    this.#traffic = traffic
    this.#tell = tell
  }

  open(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'open'
    this.#openedAt = performance.now()
    this.#traffic.connections += 1
    this.#traffic.open += 1
    this.#tell(this.#event('open', 0))
  }

  get progress(): ConnectionProgress {
    const progress: ConnectionProgress = { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut }
    if (this.#state === 'open') progress.openForMs = performance.now() - this.#openedAt
    return progress
  }

  /** It is one that was begun elsewhere: the totals, which hold it already, and the events' hearers have been told of it. */
  resume({ bytesIn, bytesOut, openForMs }: ConnectionProgress): void {
    this.#bytesIn = bytesIn
    this.#bytesOut = bytesOut
    if (openForMs === undefined) return
    this.#state = 'open'
    this.#openedAt = performance.now() - openForMs
  }

  /** Both ways. */
  get bytes(): number {
    return this.#bytesIn + this.#bytesOut
  }

  /** In: from the player; out: to the player. */
  count(bytesIn: number, bytesOut: number): void {
    this.#bytesIn += bytesIn
    this.#bytesOut += bytesOut
    this.#traffic.bytesIn += bytesIn
    this.#traffic.bytesOut += bytesOut
  }

  close(reason: CloseReason): void {
    const was = this.#state
    if (was === 'closed') return
    this.#state = 'closed'
    if (was === 'open') this.#traffic.open -= 1
    const durationMs = was === 'open' ? Math.round(performance.now() - this.#openedAt) : 0
    const event = this.#event(was === 'open' ? 'close' : 'refused', durationMs)
    event.reason = reason
    this.#tell(event)
  }

  #event(phase: RelayEvents['connection']['phase'], durationMs: number): RelayEvents['connection'] {
    // Written out: a spread of the four costs as much as the rest of the record.
    const { allocationId, protocol, remoteAddress, remotePort } = this.#about
    const [bytesIn, bytesOut] = [this.#bytesIn, this.#bytesOut]
    return { allocationId, protocol, remoteAddress, remotePort, phase, bytesIn, bytesOut, durationMs }
  }
}
