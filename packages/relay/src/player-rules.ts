import { AddressRules } from './address-rules.js'
import type { AllocationOptions } from './relay-types.js'
import { Throttle } from './throttle.js'

const MS_PER_SECOND = 1_000

/** The options of one allocation as its listener uses them; a change is in force at once. */
export class PlayerRules {
  /** Shared by all players of the allocation. */
  readonly fromPlayers: Throttle = new Throttle()
  readonly toPlayers: Throttle = new Throttle()
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
    this.#options = options
  }

  admits(address: string): boolean {
    if (this.#deny?.matches(address) === true) return false
    return this.#allow === undefined || this.#allow.matches(address)
  }

  get proxyProtocol(): 'none' | 'v1' | 'v2' {
    return this.#options.proxyProtocol ?? 'none'
  }

  get maxConnections(): number {
    return this.#options.maxConnections ?? Number.POSITIVE_INFINITY
  }

  /** Infinity: for ever. */
  get idleMs(): number {
    return (this.#options.idleTimeout ?? Number.POSITIVE_INFINITY) * MS_PER_SECOND
  }
}

function rulesOf(rules: readonly string[] | undefined): AddressRules | undefined {
  return rules === undefined || rules.length === 0 ? undefined : new AddressRules(rules)
}
