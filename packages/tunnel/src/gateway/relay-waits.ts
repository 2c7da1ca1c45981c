import { tunnelErrors } from '../errors.js'

/** Waits for a relay to say that it has a revision. */
export interface RevisionWaits {
  /** Rejects with `TUNNEL_ERR_RELAY_UNANSWERED` after `timeoutMs`, or at the end. */
  until(revision: number, timeoutMs: number): Promise<void>
  /** It has this one, and so all before. */
  reached(revision: number): void
  end(): void
}

interface Wait {
  readonly revision: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export function createRevisionWaits(relayId: string): RevisionWaits {
  const waits = new Set<Wait>()
  let ended = false
  const unanswered = (): Error => tunnelErrors.RELAY_UNANSWERED({ relay: relayId })

  const settle = (wait: Wait, then: () => void): void => {
    clearTimeout(wait.timer)
    waits.delete(wait)
    then()
  }

  return {
    until(revision, timeoutMs) {
      if (ended) return Promise.reject(unanswered())
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle(wait, () => reject(unanswered())), timeoutMs)
        const wait: Wait = { revision, resolve, reject, timer }
        waits.add(wait)
      })
    },
    reached(revision) {
      for (const wait of waits) if (wait.revision <= revision) settle(wait, wait.resolve)
    },
    end() {
      ended = true
      for (const wait of waits) settle(wait, () => wait.reject(unanswered()))
    },
  }
}
