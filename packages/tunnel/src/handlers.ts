import type { Logger } from '@sallyport/core'

/** Handlers of one kind of news. What one throws is logged, the others are still called. */
export interface Handlers<Payload> {
  on(handler: (payload: Payload) => void): () => void
  tell(payload: Payload): void
}

export function createHandlers<Payload>(logger: Logger): Handlers<Payload> {
  const handlers = new Set<{ readonly handler: (payload: Payload) => void }>()
  return {
    on(handler) {
      const entry = { handler }
      handlers.add(entry)
      return () => void handlers.delete(entry)
    },
    tell(payload) {
      for (const { handler } of handlers) {
        try {
          handler(payload)
        } catch (error) {
          logger.error({ err: error }, 'a handler threw')
        }
      }
    },
  }
}
