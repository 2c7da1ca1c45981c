/** Asks the panel for fresh relay tickets: at once the first time, then more and more slowly while the relay keeps refusing them. */
export interface TicketRequests {
  /** The relay refused the ticket held. */
  need(relayId: string): void
  /** A fresh ticket came (by itself or in a state). */
  answered(relayId: string): void
  /** The link to the relay stands: its next refusal is a first one again. */
  linked(relayId: string): void
  forget(relayId: string): void
  clear(): void
}

interface Waiting {
  asked: number
  wanted: boolean
  timer: NodeJS.Timeout | undefined
  /** performance.now() of the last request. */
  lastAskedAt: number
}

const FIRST_WAIT_MS = 1_000
const MAX_WAIT_MS = 30_000

/** `ask` returns false when there is no connection; the state that follows the next `welcome` brings tickets then. */
export function createTicketRequests(ask: (relayId: string) => boolean): TicketRequests {
  const relays = new Map<string, Waiting>()

  function schedule(relayId: string, entry: Waiting): void {
    if (entry.timer !== undefined) return
    const pause = entry.asked === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(entry.asked - 1, 10), MAX_WAIT_MS)
    const delay = Math.max(0, entry.lastAskedAt + pause - performance.now())
    if (delay === 0) {
      fire(relayId, entry)
      return
    }
    entry.timer = setTimeout(() => {
      entry.timer = undefined
      fire(relayId, entry)
    }, delay)
  }

  function fire(relayId: string, entry: Waiting): void {
    if (!entry.wanted || !ask(relayId)) return
    entry.asked += 1
    entry.lastAskedAt = performance.now()
    schedule(relayId, entry)
  }

  function forget(relayId: string): void {
    clearTimeout(relays.get(relayId)?.timer)
    relays.delete(relayId)
  }

  return {
    need(relayId) {
      const entry = relays.get(relayId) ?? { asked: 0, wanted: true, timer: undefined, lastAskedAt: 0 }
      relays.set(relayId, entry)
      entry.wanted = true
      schedule(relayId, entry)
    },
    answered(relayId) {
      const entry = relays.get(relayId)
      if (!entry) return
      entry.wanted = false
      clearTimeout(entry.timer)
      entry.timer = undefined
    },
    linked: forget,
    forget,
    clear() {
      for (const relayId of [...relays.keys()]) forget(relayId)
    },
  }
}
