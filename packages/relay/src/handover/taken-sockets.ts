import type { Socket as UdpSocket } from 'node:dgram'
import type { Server } from 'node:net'

/** `adopt` is called with the socket in the very turn in which it comes, since it is in use from then on. */
export type SocketSource<S> = (adopt: (socket: S) => void, failed: (error: Error) => void) => void

/** Which socket; the data port's are `data` and `datagrams`, the others have their allocation's id. */
export type SocketName = 'data' | 'datagrams' | number

interface Claim {
  adopt: (socket: never) => void
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
    return this.#source<Server>(name)
  }

  udp(name: SocketName): SocketSource<UdpSocket> | undefined {
    return this.#source<UdpSocket>(name)
  }

  deliver(name: SocketName, socket: Server | UdpSocket | undefined): void {
    const claim = this.#claims.get(name)
    this.#claims.delete(name)
    this.#announced.delete(name)
    if (socket === undefined) claim?.failed(new Error('the socket did not come'))
    else if (claim === undefined) socket.close()
    else claim.adopt(socket as never)
  }

  /** No more will come. */
  abandon(): void {
    this.#abandoned = true
    for (const { failed } of this.#claims.values()) failed(new Error('the socket did not come'))
    this.#claims.clear()
    this.#announced.clear()
  }

  #source<S>(name: SocketName): SocketSource<S> | undefined {
    if (this.#abandoned || !this.#announced.has(name) || this.#claims.has(name)) return undefined
    return (adopt, failed) => void this.#claims.set(name, { adopt, failed })
  }
}
