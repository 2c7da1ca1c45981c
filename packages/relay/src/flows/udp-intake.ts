import type { Permits } from '../permits.js'
import type { PlayerBounds, PlayerRules } from '../players/player-rules.js'
import { plainAddress } from '../players/source-key.js'
import { RecentlyDenied } from './recently-denied.js'
import { type Sight, SourceGate } from './source-gate.js'
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

/** A source's place, until `leave` is called. */
export interface UdpEntry {
  sight: Sight
  leave: () => void
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
   * Gives the source a place, or undefined for who gets none. It may close an older flow. Who is let in is to be added.
   * @param present flows that there are; @param most that the options allow
   */
  enter(address: string, port: number, present: number, most: number): UdpEntry | undefined {
    const now = performance.now()
    const sight = now < this.#refusedUntil ? undefined : this.#gate.admits(address, port, now)
    if (sight === undefined) return undefined
    const { rules, permits, bounds } = this.#options
    const player = plainAddress(address)
    if (this.#denied.has(address, port) || !rules.admits(player)) return undefined
    const full = present >= Math.min(bounds.players, most)
    const displaced = this.#unvalidated.displaced(groupOf(address), now, full)
    if (displaced === 'nobody') return undefined
    const entry = rules.enter(player, bounds, displaced === undefined ? 0 : 1)
    if (!entry.ok) return undefined
    const release = permits.take()
    if (release === undefined) {
      entry.leave()
      return undefined
    }
    this.#gate.began(sight)
    // Not before it is sure that somebody comes: a source that may not have more must not drive others out.
    displaced?.close('busy')
    const leave = () => {
      entry.leave()
      release()
    }
    return { sight, leave }
  }

  /** The same for who was let in by the process before this one. */
  resume(address: string): () => void {
    const { rules, permits, bounds } = this.#options
    const entry = rules.enter(plainAddress(address), bounds)
    const release = permits.take()
    return () => {
      if (entry.ok) entry.leave()
      release?.()
    }
  }

  /** The flow of a source that was let in. */
  add(flow: UdpFlow, sight: Sight = 'first'): void {
    this.#unvalidated.add(flow, groupOf(flow.address), performance.now(), sight)
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
