export interface Ticking {
  /** `now`: of `performance.now()`. False: not to be called again until it is added again. */
  tick(now: number): boolean
}

/** One timer for many: whoever has nothing to do is not on the list, and with nobody on it there is no timer. */
export class ChannelClock {
  readonly #intervalMs: number
  readonly #members: Set<Ticking> = new Set()
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  get size(): number {
    return this.#members.size
  }

  add(member: Ticking): void {
    this.#members.add(member)
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs)
  }

  delete(member: Ticking): void {
    this.#members.delete(member)
    if (this.#members.size === 0) this.close()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#members.clear()
  }

  #tick(): void {
    const now = performance.now()
    for (const member of this.#members) if (!member.tick(now)) this.#members.delete(member)
    if (this.#members.size === 0) this.close()
  }
}
