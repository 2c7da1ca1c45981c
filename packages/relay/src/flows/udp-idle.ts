import type { UdpFlow } from './udp-flow.js'

/** Of the shortest quiet time that is measured; and so the error of its measure. */
const SWEEPS = 20
const MIN_INTERVAL_MS = 10
const MAX_INTERVAL_MS = 5_000

export interface UdpIdleOptions {
  flows: () => Iterable<UdpFlow>
  /** Quiet times after which flows end: any, and those whose source is not validated. */
  idleMs: () => number
  unansweredMs: number
  /** It is not validated and has passed something since the last sweep. */
  onActive: (flow: UdpFlow) => void
}

/** Ends the flows of one port that are idle: one timer for all of them, and no clock to be read for a datagram. */
export class UdpIdle {
  readonly #options: UdpIdleOptions
  #timer: NodeJS.Timeout | undefined
  #intervalMs = 0

  constructor(options: UdpIdleOptions) {
    this.#options = options
  }

  /** There are flows, or the times have changed. */
  start(): void {
    const { idleMs, unansweredMs } = this.#options
    const intervalMs = Math.min(idleMs(), unansweredMs) / SWEEPS
    if (this.#timer !== undefined && this.#intervalMs === intervalMs) return
    clearInterval(this.#timer)
    this.#intervalMs = intervalMs
    this.#timer = setInterval(
      () => this.#sweep(performance.now()),
      Math.max(MIN_INTERVAL_MS, Math.min(intervalMs, MAX_INTERVAL_MS)),
    )
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #sweep(now: number): void {
    const { flows, unansweredMs, onActive } = this.#options
    const idleMs = this.#options.idleMs()
    const over: UdpFlow[] = []
    for (const flow of flows()) {
      if (flow.active) {
        flow.active = false
        flow.activeAt = now
        if (!flow.validated) onActive(flow)
        continue
      }
      const quietMs = now - flow.activeAt
      if (quietMs > idleMs || (!flow.validated && quietMs > unansweredMs)) over.push(flow)
    }
    for (const flow of over) flow.close(flow.opened ? 'idle' : 'timeout')
  }
}
