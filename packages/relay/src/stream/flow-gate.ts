import type { Throttle, Turn } from '../players/throttle.js'

/** What a flow may have to wait for: that somebody takes it, that what was passed on is sent, and its share of a rate. */
const Wait = { join: 1, drain: 2, turn: 4 } as const

/** Says whether one direction of a player's bytes may go on. Shut for 'join' at first. */
export class FlowGate {
  readonly #goOn: () => void
  #waits: number = Wait.join
  #turn: Turn | undefined

  /** `goOn` is called whenever there is nothing more to wait for. */
  constructor(goOn: () => void) {
    this.#goOn = goOn
  }

  shut(why: keyof typeof Wait): void {
    this.#waits |= Wait[why]
  }

  open(why: keyof typeof Wait): void {
    this.#waits &= ~Wait[why]
    if (this.#waits === 0) this.#goOn()
  }

  /** As much of `bytes` from the front as may pass now. */
  passing(bytes: Buffer, throttle: Throttle | undefined): Buffer {
    if (throttle === undefined || throttle.rate === 0) return bytes
    this.#turn ??= () => this.open('turn')
    const passed = throttle.take(bytes.length, this.#turn)
    if (passed === bytes.length) return bytes
    this.shut('turn')
    return bytes.subarray(0, passed)
  }

  /** Nothing will pass any more. */
  leave(throttle: Throttle | undefined): void {
    if (this.#turn !== undefined) throttle?.leave(this.#turn)
  }
}
