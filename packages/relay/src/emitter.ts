import type { Logger } from './logger.js'

/** Typed events whose handlers cannot break the emitter: what one throws is logged, the others are still called. */
export class Emitter<Events> {
  readonly #handlers: { [E in keyof Events]?: Set<(payload: Events[E]) => void> } = {}
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  on<E extends keyof Events>(event: E, handler: (payload: Events[E]) => void): () => void {
    // A wrapper of its own, so that the same function registered twice is called twice and taken off one by one.
    const own = (payload: Events[E]) => handler(payload)
    const handlers = this.#handlers[event] ?? new Set()
    this.#handlers[event] = handlers
    handlers.add(own)
    return () => void handlers.delete(own)
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    for (const handler of this.#handlers[event] ?? []) {
      try {
        handler(payload)
      } catch (error) {
        this.#logger.error({ event, error: String(error) }, 'an event handler threw')
      }
    }
  }
}
