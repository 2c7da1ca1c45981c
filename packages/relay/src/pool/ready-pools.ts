import type { Socket } from 'node:net'
import type { RelayLimits } from '../limits.js'
import type { ShortMessage } from '../link/protocol.js'
import type { OrderLink } from './link-orders.js'
import { Orders } from './orders.js'
import { type PlayerCall, ReadyPool } from './ready-pool.js'

export type TakeResult = { ok: true; cancel: () => void } | { ok: false; reason: 'no_link' | 'busy' }

/** The pools of all devices, while they have a link, a public TCP port or players who wait. */
export class ReadyPools {
  readonly #limits: RelayLimits
  readonly #orders: Orders
  readonly #pools: Map<string, ReadyPool> = new Map()

  constructor(limits: RelayLimits) {
    this.#limits = limits
    this.#orders = new Orders(limits.openTimeoutMs)
  }

  /** Data connections that were ordered and may come at any moment. */
  get expected(): number {
    return this.#orders.expected
  }

  /** The same from one source (see `sourceKey`). */
  expectedFrom(source: string): number {
    return this.#orders.expectedFrom(source)
  }

  /** Players without a data connection, of all devices. */
  get waiting(): number {
    return this.#sum((pool) => pool.waiting)
  }

  /** Data connections without a player, of all devices. */
  get ready(): number {
    return this.#sum((pool) => pool.ready)
  }

  /** A public port for players of this device is in force, until what is returned is called. */
  open(deviceId: string): () => void {
    return this.#of(deviceId).open()
  }

  /** In place of the link before; undefined: it is gone. Those ready go with the link that they were ordered over. */
  setLink(deviceId: string, link: OrderLink | undefined): void {
    if (link === undefined) this.#pools.get(deviceId)?.setLink(undefined)
    else this.#of(deviceId).setLink(link)
  }

  /** The agent brings none for these tokens. */
  short(deviceId: string, message: ShortMessage): void {
    this.#pools.get(deviceId)?.short(message)
  }

  /** A data connection shows this token. False: nobody asked for it (used, late or made up). */
  connect(token: string, socket: Socket): boolean {
    return this.#orders.connect(token, socket)
  }

  /** Why a player of this device could not be taken now. */
  refusal(deviceId: string): 'no_link' | 'busy' | undefined {
    const pool = this.#pools.get(deviceId)
    if (pool === undefined || !pool.linked) return 'no_link'
    return pool.waiting >= this.#limits.maxWaitingPerDevice ? 'busy' : undefined
  }

  take(deviceId: string, call: PlayerCall): TakeResult {
    const reason = this.refusal(deviceId)
    if (reason !== undefined) return { ok: false, reason }
    return { ok: true, cancel: this.#of(deviceId).take(call) }
  }

  #sum(of: (pool: ReadyPool) => number): number {
    let sum = 0
    for (const pool of this.#pools.values()) sum += of(pool)
    return sum
  }

  #of(deviceId: string): ReadyPool {
    const known = this.#pools.get(deviceId)
    if (known !== undefined) return known
    const pool = new ReadyPool({
      limits: this.#limits,
      orders: this.#orders,
      onUnneeded: () => void this.#pools.delete(deviceId),
    })
    this.#pools.set(deviceId, pool)
    return pool
  }
}
