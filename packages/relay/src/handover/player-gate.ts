import type { Socket } from 'node:net'
import { resetSocket } from '../stream/reset-socket.js'

/** Beyond that they are let go. */
const MAX_HELD = 4_096

interface Arrival {
  allocationId: number
  socket: Socket
  serve: () => void
}

/** Keeps TCP players who come while the relay is being handed over, unread, for whichever process it is that will serve them. */
export class PlayerGate {
  #shut = false
  #arrivals: Arrival[] = []

  get shut(): boolean {
    return this.#shut
  }

  /** True: the player is kept here, and `serve` is called if he stays in this process. */
  holds(allocationId: number, socket: Socket, serve: () => void): boolean {
    if (!this.#shut) return false
    if (this.#arrivals.length >= MAX_HELD) resetSocket(socket)
    else this.#arrivals.push({ allocationId, socket, serve })
    return true
  }

  close(): void {
    this.#shut = true
  }

  /** Those who came are served here. */
  open(): void {
    this.#shut = false
    for (const { serve } of this.take()) serve()
  }

  /** Gives those who came. */
  take(): Arrival[] {
    return this.#arrivals.splice(0)
  }
}
