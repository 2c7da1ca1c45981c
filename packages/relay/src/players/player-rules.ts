import { KeyedCounts, once } from '../permits.js'
import type { AllocationOptions } from '../relay-types.js'
import { AddressRules } from './address-rules.js'
import { ConnectionRate } from './connection-rate.js'
import { sourceKey } from './source-key.js'
import { Throttle } from './throttle.js'

const MS_PER_SECOND = 1_000

/** The relay's own bounds on the players of one allocation; the stricter of these and the options holds. */
export interface PlayerBounds {
  players: number
  /** From one source (see `sourceKey`). Default: no bound. */
  perSource?: number
}

/** Whether a new player may come. Who was let in is counted until `leave` is called, once. */
export type Entry = { ok: true; leave: () => void } | { ok: false; reason: 'denied' | 'busy' }

const DENIED: Entry = { ok: false, reason: 'denied' }
const BUSY: Entry = { ok: false, reason: 'busy' }

/** The options of one allocation as its listener uses them; a change is in force at once. */
export class PlayerRules {
  /** Shared by all players of the allocation. */
  readonly fromPlayers: Throttle = new Throttle()
  readonly toPlayers: Throttle = new Throttle()
  readonly #rate: ConnectionRate = new ConnectionRate()
  /** Of those who are there, also while no option asks for it: one may come. */
  readonly #perSource: KeyedCounts = new KeyedCounts()
  #present = 0
  #options: AllocationOptions = {}
  #allow: AddressRules | undefined
  #deny: AddressRules | undefined

  constructor(options: AllocationOptions | undefined) {
    this.update(options)
  }

  update(options: AllocationOptions = {}): void {
    const { allow, deny, bandwidth = 0 } = options
    if (allow !== this.#options.allow) this.#allow = rulesOf(allow)
    if (deny !== this.#options.deny) this.#deny = rulesOf(deny)
    this.fromPlayers.setRate(bandwidth)
    this.toPlayers.setRate(bandwidth)
    this.#rate.set(options.connectionRate ?? Number.POSITIVE_INFINITY)
    this.#options = options
  }

  /** By `allow` and `deny` alone; for those who are there already. */
  admits(address: string): boolean {
    if (this.#deny?.matches(address) === true) return false
    return this.#allow === undefined || this.#allow.matches(address)
  }

  /**
   * Takes a place for a player who has come. Who is refused counts for nothing and leaves nothing behind.
   * @param leaving how many will make room when this one is let in
   */
  enter(address: string, bounds: PlayerBounds, leaving = 0): Entry {
    if (!this.admits(address)) return DENIED
    const { maxConnections = Number.POSITIVE_INFINITY, maxConnectionsPerSource = Number.POSITIVE_INFINITY } =
      this.#options
    if (this.#present - leaving >= Math.min(bounds.players, maxConnections)) return BUSY
    const source = sourceKey(address)
    const mostPerSource = Math.min(bounds.perSource ?? Number.POSITIVE_INFINITY, maxConnectionsPerSource)
    if (this.#perSource.of(source) >= mostPerSource) return BUSY
    if (!this.#rate.take()) return BUSY
    const uncount = this.#perSource.add(source)
    this.#present += 1
    const leave = once(() => {
      this.#present -= 1
      uncount()
    })
    return { ok: true, leave }
  }

  get proxyProtocol(): 'none' | 'v1' | 'v2' {
    return this.#options.proxyProtocol ?? 'none'
  }

  /** Infinity: for ever. */
  get idleMs(): number {
    return (this.#options.idleTimeout ?? Number.POSITIVE_INFINITY) * MS_PER_SECOND
  }
}

function rulesOf(rules: readonly string[] | undefined): AddressRules | undefined {
  return rules === undefined || rules.length === 0 ? undefined : new AddressRules(rules)
}
