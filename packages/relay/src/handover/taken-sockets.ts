import { Socket as UdpSocket } from 'node:dgram'
import { Server } from 'node:net'
import type { HandedHandle } from './hand-over-line.js'

/** `adopt` is called with the socket in the very turn in which it comes, since it is in use from then on. */
export type SocketSource<S> = (adopt: (socket: S) => void, failed: (error: Error) => void) => void

/** Which socket; the data port's are `data` and `datagrams`, the others have their allocation's id. */
export type SocketName = 'data' | 'datagrams' | number

interface Claim {
  /** False: it is none of the kind that was claimed. */
  adopt: (socket: HandedHandle | undefined) => boolean
  failed: (error: Error) => void
}

/** The sockets that a relay takes from the process before it: each is claimed by whom it is for, and comes then. */
export class TakenSockets {
  readonly #announced: Set<SocketName>
  readonly #claims: Map<SocketName, Claim> = new Map()
  #abandoned = false

  constructor(announced: Iterable<SocketName>) {
    this.#announced = new Set(announced)
  }

  /** Undefined: it does not come, so one is to be bound. */
  tcp(name: SocketName): SocketSource<Server> | undefined {
    return this.#source(name, (handle) => handle instanceof Server)
  }

  udp(name: SocketName): SocketSource<UdpSocket> | undefined {
    return this.#source(name, (handle) => handle instanceof UdpSocket)
  }

  /** True: somebody has taken it. Otherwise it is still the caller's to close. */
  deliver(name: SocketName, handle: HandedHandle | undefined): boolean {
    const claim = this.#claims.get(name)
    this.#claims.delete(name)
    this.#announced.delete(name)
    try {
      if (claim?.adopt(handle) === true) return true
      claim?.failed(new Error('the socket did not come'))
    } catch (error) {
      claim?.failed(error as Error)
    }
    return false
  }

  /** No more will come. */
  abandon(): void {
    this.#abandoned = true
    for (const { failed } of this.#claims.values()) failed(new Error('the socket did not come'))
    this.#claims.clear()
    this.#announced.clear()
  }

  #source<S extends HandedHandle>(
    name: SocketName,
    isIt: (handle: HandedHandle | undefined) => handle is S,
  ): SocketSource<S> | undefined {
    if (this.#abandoned || !this.#announced.has(name) || this.#claims.has(name)) return undefined
    return (adopt, failed) => {
      const claim: Claim = {
        adopt: (handle) => {
          if (!isIt(handle)) return false
          adopt(handle)
          return true
        },
        failed,
      }
      this.#claims.set(name, claim)
    }
  }
}
