import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { KeyedCounts } from '../permits.js'

/** Who asked for a data connection. */
export interface Orderer {
  /** Where it is expected from (see `sourceKey`). */
  readonly source: string
  /** It has come: takes the socket over. */
  connect(token: string, socket: Socket): void
  /** It has not come in time. */
  expired(token: string): void
}

interface Order {
  orderer: Orderer
  expiresAt: number
  uncount: () => void
}

const TOKEN_BYTES = 16

/**
 * Data connections that agents were asked for and that have not come yet: each token works once, for a bounded time. How many there are
 * is bounded by those who ask.
 */
export class Orders {
  readonly #lifeMs: number
  /** In the order of their end, since all live equally long. */
  readonly #orders: Map<string, Order> = new Map()
  readonly #perSource: KeyedCounts = new KeyedCounts()
  #timer: NodeJS.Timeout | undefined

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
  }

  /** How many may come at any moment. */
  get expected(): number {
    return this.#orders.size
  }

  expectedFrom(source: string): number {
    return this.#perSource.of(source)
  }

  /** Gives the token. */
  make(orderer: Orderer): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const uncount = this.#perSource.add(orderer.source)
    this.#orders.set(token, { orderer, expiresAt: performance.now() + this.#lifeMs, uncount })
    if (this.#timer === undefined) this.#arm(this.#lifeMs)
    return token
  }

  /** A data connection shows this token. False: nobody asked for it (used, late or made up). */
  connect(token: string, socket: Socket): boolean {
    const order = this.#take(token)
    order?.orderer.connect(token, socket)
    return order !== undefined
  }

  cancel(token: string): void {
    this.#take(token)
  }

  /** For exactly one taker. */
  #take(token: string): Order | undefined {
    const order = this.#orders.get(token)
    if (order === undefined) return undefined
    this.#orders.delete(token)
    order.uncount()
    if (this.#orders.size === 0) {
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
    return order
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#expire(), Math.ceil(delayMs))
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [token, order] of this.#orders) {
      if (order.expiresAt > now) {
        // Whoever was told may have ordered anew, and armed it.
        if (this.#timer === undefined) this.#arm(order.expiresAt - now)
        return
      }
      this.#take(token)
      order.orderer.expired(token)
    }
  }
}
