import type { Logger } from '../logger.js'
import { KeyedCounts } from '../permits.js'
import type { Admission, PlayerKnock } from '../relay-types.js'

const DEFAULT_TIMEOUT_MS = 1_000
/** Of all who wait, so that a flood on one allocation leaves the others' players their question. */
const SHARE_OF_ONE = 1 / 4

/** Asks whoever decides about players, for a bounded number of them at once and for a bounded time. */
export class Admissions {
  readonly #maxWaiting: number
  readonly #logger: Logger
  #admission: Admission | undefined
  readonly #perAllocation: KeyedCounts = new KeyedCounts()
  #waiting = 0
  #fullSince: number | undefined

  constructor(admission: Admission | undefined, maxWaiting: number, logger: Logger) {
    this.#admission = admission
    this.#maxWaiting = maxWaiting
    this.#logger = logger
  }

  /** What holds without an answer. */
  get otherwise(): 'allow' | 'deny' {
    return this.#admission?.otherwise ?? 'allow'
  }

  /** For players who come from now on. */
  set(admission: Admission | undefined): void {
    this.#admission = admission
  }

  /**
   * Calls `decided` once: within this call when the answer is there at once. Gives what withdraws the question; then `decided` is not
   * called any more.
   */
  ask(knock: PlayerKnock, decided: (allowed: boolean) => void): () => void {
    const admission = this.#admission
    if (admission === undefined) {
      decided(true)
      return ignore
    }
    const otherwise = this.otherwise === 'allow'
    const allocation = String(knock.allocationId)
    const ofOne = this.#perAllocation.of(allocation)
    if (this.#waiting >= this.#maxWaiting || ofOne >= Math.ceil(this.#maxWaiting * SHARE_OF_ONE)) {
      this.#tellFull()
      decided(otherwise)
      return ignore
    }
    const answer = this.#decide(admission, knock)
    if (typeof answer !== 'object') {
      decided(answer ?? otherwise)
      return ignore
    }
    return this.#wait(allocation, answer, admission.timeoutMs ?? DEFAULT_TIMEOUT_MS, (allowed) =>
      decided(allowed ?? otherwise),
    )
  }

  #wait(
    allocation: string,
    answer: PromiseLike<unknown>,
    timeoutMs: number,
    decided: (allowed: boolean | undefined) => void,
  ): () => void {
    this.#waiting += 1
    const uncount = this.#perAllocation.add(allocation)
    let over = false
    const end = () => {
      if (over) return false
      over = true
      this.#waiting -= 1
      uncount()
      clearTimeout(timer)
      return true
    }
    const settle = (allowed: unknown) => {
      if (end()) decided(typeof allowed === 'boolean' ? allowed : undefined)
    }
    const timer = setTimeout(settle, timeoutMs)
    // What a host gives may be no real promise and throw.
    Promise.resolve(answer).then(settle, () => settle(undefined))
    return () => void end()
  }

  /** Undefined: no answer. */
  #decide(admission: Admission, knock: PlayerKnock): boolean | PromiseLike<unknown> | undefined {
    try {
      const answer: unknown = admission.decide(knock)
      if (typeof answer === 'boolean') return answer
      return isPromiseLike(answer) ? answer : undefined
    } catch (error) {
      this.#logger.warn({ error: String(error), allocationId: knock.allocationId }, 'the admission threw')
      return undefined
    }
  }

  /** Once for each time that it happens, not for each player. */
  #tellFull(): void {
    const now = performance.now()
    if (this.#fullSince !== undefined && now - this.#fullSince < DEFAULT_TIMEOUT_MS) return
    this.#fullSince = now
    this.#logger.warn({ waiting: this.#waiting }, 'too many players wait for their admission')
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function ignore(): void {}
