import type { AgentEvents, AgentRefusal } from '../agent-types.js'
import type { Emitter } from '../emitter.js'
import type { Logger } from '../logger.js'

/** Targets that could not be reached: each is told once until it changes, not once for every player. */
export class Refusals {
  readonly #events: Emitter<AgentEvents>
  readonly #logger: Logger
  readonly #max: number
  readonly #refused: Map<string, AgentRefusal> = new Map()

  constructor(events: Emitter<AgentEvents>, logger: Logger, max: number) {
    this.#events = events
    this.#logger = logger
    this.#max = max
  }

  note(refusal: AgentRefusal): void {
    const key = keyOf(refusal.relayId, refusal.allocationId)
    const known = this.#refused.get(key)
    if (known?.error === refusal.error && sameTarget(known, refusal)) return
    this.#refused.set(key, refusal)
    if (this.#refused.size > this.#max) {
      const [oldest] = this.#refused.keys()
      if (oldest !== undefined) this.#refused.delete(oldest)
    }
    this.#logger.warn({ ...refusal }, 'target cannot be reached')
    this.#events.emit('rejected', refusal)
  }

  recovered(relayId: string, allocationId: number): void {
    if (!this.#refused.delete(keyOf(relayId, allocationId))) return
    this.#logger.info({ relayId, allocationId }, 'target reached again')
    this.#events.emit('recovered', { relayId, allocationId })
  }

  forgetRelay(relayId: string): void {
    for (const [key, refusal] of this.#refused) if (refusal.relayId === relayId) this.#refused.delete(key)
  }

  /** The rules have changed: what they forbid is seen anew. */
  forgetForbidden(): void {
    for (const [key, { error }] of this.#refused) if (error === 'target_forbidden') this.#refused.delete(key)
  }

  list(): AgentRefusal[] {
    return [...this.#refused.values()]
  }
}

function keyOf(relayId: string, allocationId: number): string {
  return `${allocationId} ${relayId}`
}

function sameTarget(a: AgentRefusal, b: AgentRefusal): boolean {
  return a.target.host === b.target.host && a.target.port === b.target.port && a.protocol === b.protocol
}
