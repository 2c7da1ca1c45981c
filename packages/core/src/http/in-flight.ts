import type { ServerResponse } from 'node:http'

/** Knows the requests that are being answered, so that a stop can wait for them. */
export interface InFlight {
  readonly draining: boolean
  track(response: ServerResponse): void
  /** Waits for this one no longer: it goes on for as long as it likes. */
  release(response: ServerResponse): void
  /** Resolves when nothing is being answered, or when `signal` aborts. From now on answers close their connection. */
  drain(signal: AbortSignal): Promise<void>
}

/** @param onEnd called after each answer while draining */
export function createInFlight(onEnd: () => void): InFlight {
  const open = new Set<ServerResponse>()
  const end = (response: ServerResponse): void => {
    if (!open.delete(response)) return
    if (draining) onEnd()
    if (open.size === 0) drained?.()
  }
  let draining = false
  let drained: (() => void) | undefined

  return {
    get draining() {
      return draining
    },
    track(response) {
      if (open.has(response)) return
      open.add(response)
      const ended = (): void => end(response)
      response.once('finish', ended)
      response.once('close', ended)
    },
    release: end,
    drain(signal) {
      draining = true
      if (open.size === 0 || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        drained = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    },
  }
}
