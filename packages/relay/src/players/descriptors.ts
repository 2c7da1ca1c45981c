import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

const MIN_SPARE = 8
const MAX_SPARE = 64
/** Of the limit. */
const SPARE_SHARE = 16

/**
 * Says when this process is about to run out of descriptors. At the very end nobody would be told: libuv closes what it cannot accept to
 * make room, and when another thread has taken the room in between it spins, with neither an error nor a player let in. And what is
 * left serves the files and the connections of those who are here.
 */
export class Descriptors {
  readonly #spare: number
  readonly #limit: number

  /** @param limit default: this process's, where that can be known without asking often (Linux) */
  constructor(limit: number = openFilesLimit()) {
    this.#limit = limit
    this.#spare = Math.min(MAX_SPARE, Math.max(MIN_SPARE, Math.floor(limit / SPARE_SHARE)))
  }

  /** Whether only spare ones are left after this socket. The system gives out the lowest number that is free. */
  short(socket: Socket, spares: number): boolean {
    const { fd } = (socket as { _handle?: { fd?: unknown } })._handle ?? {}
    // No documented property: where there is none, what the system does itself has to do.
    return typeof fd === 'number' && fd >= this.#limit - spares * this.#spare
  }
}

function openFilesLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
