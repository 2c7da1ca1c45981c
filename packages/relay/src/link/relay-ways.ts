import { lookup } from 'node:dns'
import type { Socket } from 'node:net'
import type { RelayAddress, RelayDoor } from './dial-relay.js'
import { type RelayDial, reachRelay } from './reach-relay.js'

/** How a relay is reached. */
export interface Way {
  /** Undefined: directly. */
  readonly proxy: URL | undefined
  /** By way of a proxy: an address of the relay's, for datagrams, which no proxy passes on. */
  address?: string
}

export interface ReachHandlers {
  /** See `reachRelay`. */
  onReady: (socket: Socket, way: Way) => void
  onFailed: (error: string) => void
}

/** After this the direct way is the first that is tried again, whatever worked last. */
const REMEMBERED_MS = 600_000
/** Of the time for reaching a relay directly, when there is another way. */
const DIRECT_SHARE = 0.5
/** They say who is there, which another way does not change. */
const FINAL = /^certificate_/

/** The ways to one relay: directly, and through an HTTP proxy when that fails; what worked last comes first. */
export class RelayWays {
  readonly #timeoutMs: number
  #proxied = false
  #workedAt = Number.NEGATIVE_INFINITY

  /** @param timeoutMs for each way */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  reach(door: RelayDoor, proxy: URL | undefined, handlers: ReachHandlers): RelayDial {
    const direct: Way = { proxy: undefined }
    if (proxy === undefined) return this.#reach(door, direct, this.#timeoutMs, handlers)
    const through: Way = { proxy }
    const isFresh = performance.now() - this.#workedAt < REMEMBERED_MS
    const ways: [Way, Way] = this.#proxied && isFresh ? [through, direct] : [direct, through]
    return this.#reachEither(door, ways, handlers)
  }

  /** A link by this way is up. */
  worked({ proxy }: Way): void {
    this.#proxied = proxy !== undefined
    this.#workedAt = performance.now()
  }

  /** It was up until now. */
  isOver(): void {
    this.#workedAt = performance.now()
  }

  /** It is another network, or another relay. */
  forget(): void {
    this.#proxied = false
  }

  /** What data connections and datagrams of a link need to find the same relay. */
  addressOf(relay: RelayDoor, socket: Socket, { proxy, address }: Way): RelayAddress {
    const { host, port } = relay
    if (proxy !== undefined) return { relay, host, port, proxy, datagramHost: address ?? host }
    return { relay, host: socket.remoteAddress ?? host, port: socket.remotePort ?? port }
  }

  #reachEither(door: RelayDoor, [first, second]: [Way, Way], { onReady, onFailed }: ReachHandlers): RelayDial {
    const limitMs = (way: Way) => (way.proxy === undefined ? this.#timeoutMs * DIRECT_SHARE : this.#timeoutMs)
    let current = this.#reach(door, first, limitMs(first), {
      onReady,
      onFailed: (error) => {
        if (FINAL.test(error)) {
          onFailed(error)
          return
        }
        current = this.#reach(door, second, limitMs(second), {
          onReady,
          onFailed: (other) => onFailed(first.proxy === undefined ? tell(error, other) : tell(other, error)),
        })
      },
    })
    return { cancel: () => current.cancel() }
  }

  #reach(door: RelayDoor, way: Way, timeoutMs: number, { onReady, onFailed }: ReachHandlers): RelayDial {
    const { proxy } = way
    if (proxy !== undefined) {
      lookup(door.host, (error, address) => {
        if (error === null) way.address = address
      })
    }
    return reachRelay(door, { proxy, timeoutMs, onReady: (socket) => onReady(socket, way), onFailed })
  }
}

/** Both ways have failed: why, for the owner. That the proxy is gone, or gets no farther itself, says less than what was found directly. */
function tell(direct: string, through: string): string {
  return through === 'proxy_unreachable' || through === 'proxy_failed' || through === 'timeout' ? direct : through
}
