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
/** After a size in use was given up, which may have been an outage of the path, the next search comes after this, doubling. */
const SEARCH_SOON_MS = 10_000
/** Later answers to a search do not count. */
const SEARCH_WAIT_MS = 5_000
/** A size in use that was not confirmed by then, or within twice the round trip, may not get through any more. */
const CONFIRM_WAIT_MS = 400
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
 * search is repeated after the time for which kernels remember what routers said. A size in use is confirmed again and again while it is used:
 * a confirmation that is missing means the base size until there is one, several that are missing a new search, in which nothing larger is
 * tried: that the kernel might fragment. No I/O and no timers here.
 */
export class PathMtu {
  #bytes = BASE_PACKET_BYTES
  #sizes: readonly number[] = []
  /** One bit for each of the sizes. */
  #answered = 0
  #round = 0
  #searchedAt = Number.NEGATIVE_INFINITY
  #searchAgainMs = SEARCH_AGAIN_MS
  /** What was given up last; nothing larger is tried. */
  #mostBytes = Number.POSITIVE_INFINITY
  /** Probes of the size in use since the last answer. */
  #asked = 0
  #askedAt = 0
  #roundTripMs = 0

  /** The largest packet. */
  get bytes(): number {
    return this.#asked > 1 ? BASE_PACKET_BYTES : this.#bytes
  }

  /** A new path: nothing is known of it. Gives what is to be sent now. */
  restart(sizes: readonly number[], now: number): Probe[] {
    this.#bytes = BASE_PACKET_BYTES
    this.#sizes = sizes
    this.#searchAgainMs = SEARCH_AGAIN_MS
    this.#mostBytes = Number.POSITIVE_INFINITY
    return this.#search(now)
  }

  /** What is to be sent now; asked about twice a second while the path is in use. `used`: large packets were sent since. */
  due(now: number, used: boolean): Probe[] {
    if (now - this.#searchedAt >= this.#searchAgainMs) {
      this.#searchAgainMs = Math.min(2 * this.#searchAgainMs, SEARCH_AGAIN_MS)
      if (this.#searchAgainMs === SEARCH_AGAIN_MS) this.#mostBytes = Number.POSITIVE_INFINITY
      return this.#search(now)
    }
    if (this.#bytes === BASE_PACKET_BYTES) return []
    const waits = this.#asked > 0
    if (waits ? now - this.#askedAt < Math.max(CONFIRM_WAIT_MS, 2 * this.#roundTripMs) : !used) return []
    if (this.#asked === MAX_MISSES) {
      this.#mostBytes = this.#bytes
      this.#searchAgainMs = SEARCH_SOON_MS
      this.#bytes = BASE_PACKET_BYTES
      return this.#search(now)
    }
    this.#asked += 1
    this.#askedAt = now
    return [this.#probe(this.#bytes)]
  }

  /** A PROBE_ACK. What was never asked changes nothing. */
  answered(id: number, now: number): void {
    const bytes = id & 0xffff
    if (id >>> 16 !== this.#round) return
    if (bytes === this.#bytes) {
      if (this.#asked === 1) this.#roundTripMs = now - this.#askedAt
      this.#asked = 0
    }
    const place = this.#sizes.indexOf(bytes)
    if (place < 0 || now - this.#searchedAt >= SEARCH_WAIT_MS) return
    if (this.#answered === 0) this.#roundTripMs = now - this.#searchedAt
    this.#answered |= 1 << place
    for (const [index, size] of this.#sizes.entries()) {
      if ((this.#answered & (1 << index)) === 0) return
      if (size > this.#bytes) this.#bytes = size
    }
  }

  #search(now: number): Probe[] {
    this.#round = (this.#round + 1) & 0xffff
    this.#searchedAt = now
    this.#answered = 0
    this.#asked = 0
    return this.#sizes.filter((bytes) => bytes <= this.#mostBytes).map((bytes) => this.#probe(bytes))
  }

  #probe(bytes: number): Probe {
    return { id: ((this.#round << 16) | bytes) >>> 0, bytes }
  }
}
