import type { Permits } from './permits.js'
import type { PlayerBounds, PlayerRules } from './player-rules.js'
import { RecentlyDenied } from './recently-denied.js'
import { SourceGate } from './source-gate.js'
import { plainAddress } from './source-key.js'
import type { UdpFlow } from './udp-flow.js'
import { groupOf, UnvalidatedFlows } from './unvalidated-flows.js'

/** After the agent has refused the target, nobody new is brought to it for so long. */
const REFUSED_MS = 1_000

export interface UdpIntakeOptions {
  rules: PlayerRules
  /** Of the relay, for all its players. */
  permits: Permits
  bounds: Required<PlayerBounds>
}

/**
 * Decides which new sources of a public UDP port get a flow. Anybody can forge a source, so most of a flood must end here, at little
 * cost and without a trace: who is not let in gets no event, and nothing is kept of it but a hash.
 */
export class UdpIntake {
  readonly #options: UdpIntakeOptions
  readonly #gate: SourceGate = new SourceGate()
  readonly #unvalidated: UnvalidatedFlows<UdpFlow> = new UnvalidatedFlows()
  readonly #denied: RecentlyDenied = new RecentlyDenied()
  #refusedUntil = 0

  constructor(options: UdpIntakeOptions) {
    this.#options = options
  }

  /**
   * Gives what takes the source's place off again, or undefined for who gets none. It may close an older flow.
   * @param present flows that there are; @param most that the options allow
   */
  enter(address: string, port: number, present: number, most: number): (() => void) | undefined {
    const now = performance.now()
    if (now < this.#refusedUntil || !this.#gate.admits(address, port, now)) return undefined
    const { rules, permits, bounds } = this.#options
    const player = plainAddress(address)
    if (this.#denied.has(address, port) || !rules.admits(player)) return undefined
    const full = present >= Math.min(bounds.players, most)
    const displaced = this.#unvalidated.displaced(groupOf(address), now, full)
    if (displaced === 'nobody') return undefined
    displaced?.close('busy')
    const entry = rules.enter(player, bounds)
    if (!entry.ok) return undefined
    const release = permits.take()
    if (release === undefined) {
      entry.leave()
      return undefined
    }
    this.#gate.began()
    return () => {
      entry.leave()
      release()
    }
  }

  /** The flow of a source that was let in. */
  add(flow: UdpFlow): void {
    this.#unvalidated.add(flow, groupOf(flow.address), performance.now())
  }

  /** Its source is no forgery, or it is over. */
  remove(flow: UdpFlow): void {
    this.#unvalidated.delete(flow)
  }

  /** It has sent lately. */
  touch(flow: UdpFlow): void {
    this.#unvalidated.touch(flow)
  }

  /** The admission did not let this source in. */
  deny(flow: UdpFlow): void {
    this.#denied.add(flow.address, flow.port)
  }

  /** The agent does not serve the target. */
  refuse(): void {
    this.#refusedUntil = performance.now() + REFUSED_MS
  }

  /** Another target. */
  forgetRefusal(): void {
    this.#refusedUntil = 0
  }
}
