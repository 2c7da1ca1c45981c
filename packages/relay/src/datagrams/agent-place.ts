import { randomInt } from 'node:crypto'
import type { SealedPacket } from './channel-session.js'

/** To an address that has not answered yet go no more bytes than this … */
const MAX_UNPROVEN_BYTES = 65_536
/** … in so long, whatever other addresses came in between. */
const UNPROVEN_MS = 1_000
/** Questions are no closer together than this, and repeated while there is no answer. */
const ASK_EVERY_MS = 50
const MAX_ID = 2 ** 32 - 1

export interface Place {
  readonly address: string
  readonly port: number
}

/**
 * Where a relay sends an agent's packets: to where the newest authentic one came from. Whoever sees packets pass can have a copy arrive first,
 * from an address of their choice (RFC 9000 section 9.3). So an address has to answer: until then it gets little, and the rest goes where
 * the last one did that has answered. No I/O here.
 */
export class AgentPlace {
  #current: Place | undefined
  #proven: Place | undefined
  /** The current one has answered since it became that. */
  #settled = false
  #askedAt = Number.NEGATIVE_INFINITY
  /** 0: nothing. */
  #askedId = 0
  #unprovenBytes = 0
  #unprovenSince = Number.NEGATIVE_INFINITY

  get current(): Place | undefined {
    return this.#current
  }

  /** The agent is known to hear what is sent to the current place. */
  get proven(): boolean {
    return this.#current !== undefined && this.#current === this.#proven
  }

  /** The newest packet came from here. True: the one before did not. */
  follow(address: string, port: number): boolean {
    if (this.#current?.port === port && this.#current.address === address) return false
    const isBack = this.#proven?.port === port && this.#proven.address === address
    this.#current = isBack ? this.#proven : { address, port }
    this.#settled = false
    this.#askedId = 0
    return true
  }

  /** Gives what the current place is to be asked now, if anything; nobody else may see it. */
  ask(now: number): number | undefined {
    if (this.#settled || this.#current === undefined || now - this.#askedAt < ASK_EVERY_MS) return undefined
    this.#askedAt = now
    // The same again: the answer may take longer than it takes to ask twice.
    if (this.#askedId === 0) this.#askedId = randomInt(1, MAX_ID)
    return this.#askedId
  }

  /** True: that was the answer wanted. */
  answered(id: number): boolean {
    if (id === 0 || id !== this.#askedId) return false
    this.#askedId = 0
    this.#settled = true
    this.#proven = this.#current
    return true
  }

  /** Undefined: nowhere. */
  destination(packet: SealedPacket): Place | undefined {
    if (this.#current === this.#proven) return this.#current
    const now = performance.now()
    if (now - this.#unprovenSince >= UNPROVEN_MS) {
      this.#unprovenSince = now
      this.#unprovenBytes = 0
    }
    const bytes = packet.reduce((sum, part) => sum + part.length, 0)
    if (this.#unprovenBytes + bytes > MAX_UNPROVEN_BYTES) return this.#proven
    this.#unprovenBytes += bytes
    return this.#current
  }
}
