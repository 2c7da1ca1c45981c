import type { Socket } from 'node:net'
import { MAX_ORDER } from '../link/protocol.js'
import { LinkConnections } from '../stream/link-connections.js'
import type { Orderer, Orders } from './orders.js'

/** One link of a device, as orders go over it. */
export interface OrderLink {
  /** Where its data connections are expected from (see `sourceKey`). */
  readonly source: string
  /** At most MAX_ORDER tokens. */
  order(tokens: string[]): void
}

export interface LinkOrdersOptions {
  orders: Orders
  link: OrderLink
  /** One has come. Takes the socket over. */
  onConnect: (socket: Socket) => void
  /** One has not come in time. */
  onExpired: () => void
  /** See RelayLimits. */
  orphanTimeoutMs: number
}

/** What was ordered over one link and is not there yet. */
export class LinkOrders implements Orderer {
  /** Those that came and are not closed yet. */
  readonly connections: LinkConnections
  readonly #options: LinkOrdersOptions
  readonly #tokens: Set<string> = new Set()
  /** Of this turn of the event loop, behind the first ORDER. */
  #unsent: string[] = []
  #turn: NodeJS.Immediate | undefined

  constructor(options: LinkOrdersOptions) {
    this.#options = options
    this.connections = new LinkConnections(options.orphanTimeoutMs)
  }

  get source(): string {
    return this.#options.link.source
  }

  /** So many are on their way. */
  get coming(): number {
    return this.#tokens.size
  }

  /** The first of a turn of the event loop go out at once, what follows in the same turn together at its end. */
  order(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const token = this.#options.orders.make(this)
      this.#tokens.add(token)
      this.#unsent.push(token)
    }
    if (this.#turn !== undefined) return
    this.#send()
    this.#turn = setImmediate(() => {
      this.#turn = undefined
      this.#send()
    })
  }

  /** Gives how many of these were on their way; they are no longer. */
  cancel(tokens: readonly string[]): number {
    let cancelled = 0
    for (const token of tokens) {
      if (!this.#tokens.delete(token)) continue
      this.#options.orders.cancel(token)
      cancelled += 1
    }
    return cancelled
  }

  /** The link is gone. */
  close(): void {
    clearImmediate(this.#turn)
    this.#unsent = []
    this.cancel([...this.#tokens])
    this.connections.orphan()
  }

  connect(token: string, socket: Socket): void {
    this.#tokens.delete(token)
    this.#options.onConnect(socket)
  }

  expired(token: string): void {
    this.#tokens.delete(token)
    this.#options.onExpired()
  }

  #send(): void {
    const { link } = this.#options
    while (this.#unsent.length > 0) link.order(this.#unsent.splice(0, MAX_ORDER))
  }
}
