import type { RelayLimits } from '../limits.js'

/** Players whose agent has no link: it may be on its way back, or up for the first time. Bounded in number and time. */
export class HeldPlayers {
  readonly #limits: Pick<RelayLimits, 'linkWaitMs' | 'maxWaitingPerDevice'>
  readonly #byDevice: Map<string, Set<() => void>> = new Map()

  constructor(limits: Pick<RelayLimits, 'linkWaitMs' | 'maxWaitingPerDevice'>) {
    this.#limits = limits
  }

  /**
   * Calls `done` once, never within this call. Gives what withdraws the player; then it is not called any more. Undefined: too many wait
   * for this device.
   */
  hold(deviceId: string, done: (linked: boolean) => void): (() => void) | undefined {
    const held = this.#byDevice.get(deviceId) ?? new Set()
    if (held.size >= this.#limits.maxWaitingPerDevice) return undefined
    this.#byDevice.set(deviceId, held)
    const withdraw = () => {
      clearTimeout(timer)
      held.delete(come)
      if (held.size === 0 && this.#byDevice.get(deviceId) === held) this.#byDevice.delete(deviceId)
    }
    const come = () => {
      withdraw()
      done(true)
    }
    const timer = setTimeout(() => {
      withdraw()
      done(false)
    }, this.#limits.linkWaitMs)
    held.add(come)
    return withdraw
  }

  linked(deviceId: string): void {
    for (const come of this.#byDevice.get(deviceId) ?? []) come()
  }
}
