import type { Socket } from 'node:net'
import type { RelayLimits } from '../limits.js'
import type { ShortMessage, StartMessage } from '../link/protocol.js'
import { once } from '../permits.js'
import type { CloseReason } from '../relay-types.js'
import { DataConnection, type Exchange } from '../stream/data-connection.js'
import { LinkOrders, type OrderLink } from './link-orders.js'
import { OrderPause } from './order-pause.js'
import type { Orders } from './orders.js'
import { PoolSize } from './pool-size.js'

/** A player who wants a data connection. */
export interface PlayerCall {
  message: StartMessage
  /** START is written. */
  onPlace: (exchange: Exchange) => void
  /** The connection is lost. True: nothing was read of what the player says, so he may be given another place. */
  onLost: () => boolean
  onAccept: () => void
  /** Instead of `onAccept`. Never within `take`. */
  onFail: (reason: CloseReason) => void
}

interface Request {
  readonly call: PlayerCall
  timer: NodeJS.Timeout | undefined
  /** The one he is on, or was. */
  member: Member | undefined
  tries: number
  over: boolean
}

/** A data connection, and the player it serves. */
interface Member {
  readonly connection: DataConnection
  readonly supply: LinkOrders
  request: Request | undefined
  /** Its player has left, and the agent has not said its last word. */
  deserted: NodeJS.Timeout | undefined
}

export interface ReadyPoolOptions {
  limits: RelayLimits
  orders: Orders
  /** There is no link, no port and no player to be served any more. */
  onUnneeded: () => void
}

/** Connections on which one player is tried when they are lost one after the other. */
const MAX_TRIES = 3

/**
 * One device's data connections that are ready, and its players who wait for one. Who comes takes the one that was used last, and its
 * replacement is ordered before. A connection belongs to the link that it was ordered over, and is closed instead of kept when that is gone.
 */
export class ReadyPool {
  readonly #options: ReadyPoolOptions
  readonly #size: PoolSize
  /** The last is taken first, so the first were not needed for longest. */
  readonly #ready: Member[] = []
  readonly #waiting: Set<Request> = new Set()
  /** Who waits, and who has a place that he may still have to leave for another. */
  #unserved = 0
  /** Connections with a player. */
  #inUse = 0
  /** Of the present link. */
  #supply: LinkOrders | undefined
  #ports = 0
  #turn: NodeJS.Immediate | undefined
  #sweep: NodeJS.Timeout | undefined
  readonly #pause: OrderPause = new OrderPause(() => this.#settleSoon())

  constructor(options: ReadyPoolOptions) {
    const { minReadyPerDevice, maxReadyPerDevice } = options.limits
    this.#options = options
    this.#size = new PoolSize({ min: minReadyPerDevice, max: maxReadyPerDevice })
  }

  get linked(): boolean {
    return this.#supply !== undefined
  }

  /** Players without a place. */
  get waiting(): number {
    return this.#waiting.size
  }

  get ready(): number {
    return this.#ready.length
  }

  /** A public port for players of this device is in force, until what is returned is called. */
  open(): () => void {
    this.#ports += 1
    this.#settleSoon()
    return once(() => {
      this.#ports -= 1
      this.#settleSoon()
    })
  }

  /** In place of the one before; undefined: it is gone. */
  setLink(link: OrderLink | undefined): void {
    this.#supply?.close()
    this.#supply = undefined
    this.#pause.end()
    this.#closeOldest(this.#ready.length)
    if (link !== undefined) {
      const supply: LinkOrders = new LinkOrders({
        orders: this.#options.orders,
        link,
        orphanTimeoutMs: this.#options.limits.orphanTimeoutMs,
        onConnect: (socket) => this.#add(socket, supply),
        onExpired: () => {
          this.#pause.begin()
          this.#settleSoon()
        },
      })
      this.#supply = supply
    }
    this.#settleSoon()
  }

  /** Gives what withdraws the player; then nothing is called any more. */
  take(call: PlayerCall): () => void {
    const fail = () => this.#fail(request, this.#supply === undefined ? 'no_link' : 'timeout')
    const timer = setTimeout(fail, this.#options.limits.openTimeoutMs)
    const request: Request = { call, timer, member: undefined, tries: 0, over: false }
    this.#unserved += 1
    this.#place(request)
    return () => {
      this.#end(request)
      if (request.member?.request === request) this.#desert(request.member)
    }
  }

  /** The agent brings none for these tokens. */
  short({ tokens, error }: ShortMessage): void {
    const supply = this.#supply
    if (supply === undefined || supply.cancel(tokens) === 0) return
    this.#pause.begin()
    // The others may still be served by what is coming.
    const excess = this.#waiting.size - supply.coming
    if (excess > 0) for (const request of [...this.#waiting].slice(-excess)) this.#fail(request, error)
    this.#settleSoon()
  }

  #place(request: Request): void {
    let member = this.#ready.pop()
    // It is on its way out, and will say so.
    while (member?.connection.ready === false) member = this.#ready.pop()
    if (member === undefined) this.#waiting.add(request)
    this.#size.saw(this.#ready.length)
    if (this.#ready.length === 0) this.#size.ranEmpty(this.#inUse + this.#waiting.size)
    this.#order()
    this.#settleSoon()
    if (member !== undefined) this.#begin(member, request)
  }

  #begin(member: Member, request: Request): void {
    this.#inUse += 1
    member.request = request
    request.member = member
    request.tries += 1
    const exchange = member.connection.start(request.call.message, {
      onAccept: () => {
        this.#pause.end()
        if (this.#end(request)) request.call.onAccept()
      },
      onRefuse: (error) => this.#fail(request, error),
    })
    request.call.onPlace(exchange)
  }

  #fail(request: Request, reason: CloseReason): void {
    if (this.#end(request)) request.call.onFail(reason)
  }

  /** True once. */
  #end(request: Request): boolean {
    if (request.over) return false
    request.over = true
    clearTimeout(request.timer)
    request.timer = undefined
    this.#unserved -= 1
    if (this.#waiting.delete(request) || this.#unserved === 0) this.#settleSoon()
    return true
  }

  #add(socket: Socket, supply: LinkOrders): void {
    const connection = new DataConnection(socket, {
      flushTimeoutMs: this.#options.limits.flushTimeoutMs,
      onReady: () => this.#offer(member),
      onClose: () => this.#lost(member),
    })
    const member: Member = { connection, supply, request: undefined, deserted: undefined }
    supply.connections.add(connection)
    this.#size.arrived()
    this.#offer(member)
  }

  /** It can serve a player. */
  #offer(member: Member): void {
    // Broken off by the agent, without an answer.
    if (member.request !== undefined) this.#fail(member.request, 'reset')
    this.#clear(member)
    const [next] = this.#waiting
    if (member.supply !== this.#supply) member.connection.close()
    else if (next !== undefined) {
      this.#waiting.delete(next)
      this.#begin(member, next)
    } else if (this.#ports === 0 || this.#ready.length >= this.#options.limits.maxReadyPerDevice) {
      member.connection.close()
    } else {
      this.#ready.push(member)
      this.#settleSoon()
    }
  }

  #lost(member: Member): void {
    const { request, connection, supply } = member
    supply.connections.delete(connection)
    this.#clear(member)
    const at = this.#ready.indexOf(member)
    if (at !== -1) {
      this.#ready.splice(at, 1)
      this.#size.saw(this.#ready.length)
    }
    const unserved = request !== undefined && !request.over
    if (supply === this.#supply && (at !== -1 || unserved)) {
      this.#pause.begin()
      this.#settleSoon()
    }
    if (!unserved) return
    if (request.call.onLost() && request.tries < MAX_TRIES) this.#place(request)
    else this.#fail(request, 'reset')
  }

  /** An agent that never ends what its player has left would keep the connection, which no bound counts any more. */
  #desert(member: Member): void {
    member.deserted ??= setTimeout(() => member.connection.close(), this.#options.limits.flushTimeoutMs)
  }

  #clear(member: Member): void {
    clearTimeout(member.deserted)
    member.deserted = undefined
    if (member.request !== undefined) this.#inUse -= 1
    member.request = undefined
  }

  /** So many of those that were not needed for longest. */
  #closeOldest(count: number): void {
    for (const { connection } of this.#ready.splice(0, count)) connection.close()
  }

  /** One for each waiting player, and those that are to be ready when half of them are gone. */
  #order(): void {
    const supply = this.#supply
    if (supply === undefined) return
    const target = this.#ports === 0 || this.#pause.active ? 0 : this.#size.target
    const spare = this.#ready.length + supply.coming - this.#waiting.size
    // Not each that is taken is replaced at once: those who leave give theirs back.
    if (spare < Math.ceil(target / 2)) supply.order(target - spare)
  }

  #settleSoon(): void {
    if (this.#turn === undefined) this.#turn = setImmediate(() => this.#settle())
  }

  #settle(): void {
    this.#turn = undefined
    if (this.#ports === 0) this.#closeOldest(this.#ready.length)
    this.#order()
    const mayShrink = this.#ready.length > 0 && !(this.#size.atRest && this.#ready.length <= this.#size.target)
    if (mayShrink) this.#sweep ??= setInterval(() => this.#shrink(), this.#options.limits.readyIdleMs)
    else this.#endSweep()
    if (this.#supply === undefined && this.#ports === 0 && this.#unserved === 0) this.#options.onUnneeded()
  }

  #shrink(): void {
    this.#closeOldest(this.#size.sweep(this.#ready.length))
    this.#settleSoon()
  }

  #endSweep(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}
