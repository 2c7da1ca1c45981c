import { within } from '../cache/within.js'
import type { Logger } from '../kernel/logger.js'
import type { Disposer } from '../kernel/scope.js'
import type { EventOrigin } from './events.js'

type Handler = (payload: never, origin: EventOrigin) => void | Promise<void>

/** The handlers on this instance. */
export interface LocalDispatch {
  on(name: string, handler: Handler): Disposer
  /** Runs the event's handlers one after the other. Never rejects. */
  dispatch(name: string, payload: unknown, origin: EventOrigin): Promise<void>
}

/** Longest wait for one handler; it goes on, but the next one runs. */
const handlerTimeoutMs = 10_000

/** Makes an empty dispatch. */
export function createLocalDispatch(logger: Logger): LocalDispatch {
  const handlers = new Map<string, Set<{ run: Handler }>>()
  return {
    on(name, run) {
      const entry = { run }
      const entries = handlers.get(name) ?? new Set()
      handlers.set(name, entries.add(entry))
      return () => {
        entries.delete(entry)
        if (entries.size === 0 && handlers.get(name) === entries) handlers.delete(name)
      }
    },
    async dispatch(name, payload, origin) {
      for (const { run } of [...(handlers.get(name) ?? [])]) {
        try {
          const ended = await within(handlerTimeoutMs, run(payload as never, origin))
          if (!ended) logger.warn({ event: name }, 'an event handler takes too long')
        } catch (error) {
          logger.error({ err: error, event: name }, 'an event handler failed')
        }
      }
    },
  }
}
