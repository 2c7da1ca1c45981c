import { isLoopback } from './loopback.js'

/** Sizes are of UDP payloads. Every path takes this one (as in RFC 9000 section 14). */
export const BASE_PACKET_BYTES = 1_200
/** Ethernet with one tunnel or another in between, PPPoE, and plain; IPv6 and IPv4. */
export const PATH_SIZES: readonly number[] = [1_280, 1_344, 1_392, 1_420, 1_452, 1_472]
/** The loopback interface takes 64 KiB. */
export const LOOPBACK_SIZES: readonly number[] = [1_472, 4_096, 16_384, 32_768, 61_440]

export function sizesToTry(address: string): readonly number[] {
  return isLoopback(address) ? LOOPBACK_SIZES : PATH_SIZES
}

const SEARCH_AGAIN_MS = 600_000
const SEARCH_WAIT_MS = 5_000
const CONFIRM_EVERY_MS = 5_000
const CONFIRM_AGAIN_MS = 1_000
const MAX_MISSES = 3

export interface Probe {
  /** For PROBE and PROBE_ACK. */
  id: number
  bytes: number
}

/**
 * How large packets may be on a path: packetization layer path MTU discovery (RFC 8899), for sockets that cannot forbid fragmentation.
 * The kernel forbids it for us until a router refuses a size; from then on it fragments by itself, and what is larger than the path
 * seems to get through. So every size is tried once, all in one burst, and the sizes up to the first one that is not answered count. The
 * search is repeated after the time for which kernels remember what routers said. A size in use is confirmed while it is used: when
 * only large packets vanish, the base size is what is left. No I/O and no timers here.
 */
export class PathMtu {
  #bytes = BASE_PACKET_BYTES
  #sizes: readonly number[] = []
  /** One bit for each of the sizes. */
  #answered = 0
  #round = 0
  #searchedAt = Number.NEGATIVE_INFINITY
  #confirmedAt = 0
  #askedAt = 0
  #misses = 0

  /** The largest packet. */
  get bytes(): number {
    return this.#bytes
  }

  /** A new path: nothing is known of it. Gives what is to be sent now. */
  restart(sizes: readonly number[], now: number): Probe[] {
    this.#bytes = BASE_PACKET_BYTES
    this.#sizes = sizes
    return this.#search(now)
  }

  /** What is to be sent now; asked about once a second while the path is in use. `used`: large packets were sent since. */
  due(now: number, used: boolean): Probe[] {
    if (now - this.#searchedAt >= SEARCH_AGAIN_MS) return this.#search(now)
    if (this.#bytes === BASE_PACKET_BYTES || now - this.#searchedAt < SEARCH_WAIT_MS) return []
    const waiting = this.#askedAt > this.#confirmedAt
    if (waiting ? now - this.#askedAt < CONFIRM_AGAIN_MS : !used || now - this.#confirmedAt < CONFIRM_EVERY_MS)
      return []
    if (waiting) this.#misses += 1
    if (this.#misses >= MAX_MISSES) {
      this.#bytes = BASE_PACKET_BYTES
      this.#misses = 0
      this.#searchedAt = now
      // Late answers are to a search that is over.
      this.#round = (this.#round + 1) & 0xffff
      return []
    }
    this.#askedAt = now
    return [this.#probe(this.#bytes)]
  }

  /** A PROBE_ACK. What was never asked changes nothing. */
  answered(id: number, now: number): void {
    const bytes = id & 0xffff
    if (id >>> 16 !== this.#round) return
    if (bytes === this.#bytes) {
      this.#confirmedAt = now
      this.#misses = 0
    }
    const place = this.#sizes.indexOf(bytes)
    if (place < 0 || now - this.#searchedAt >= SEARCH_WAIT_MS) return
    this.#answered |= 1 << place
    for (const [index, size] of this.#sizes.entries()) {
      if ((this.#answered & (1 << index)) === 0) return
      if (size > this.#bytes) this.#bytes = size
      this.#confirmedAt = now
    }
  }

  #search(now: number): Probe[] {
    this.#round = (this.#round + 1) & 0xffff
    this.#searchedAt = now
    this.#answered = 0
    this.#misses = 0
    return this.#sizes.map((bytes) => this.#probe(bytes))
  }

  #probe(bytes: number): Probe {
    return { id: ((this.#round << 16) | bytes) >>> 0, bytes }
  }
}
