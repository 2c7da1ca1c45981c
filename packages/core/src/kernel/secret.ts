import { inspect } from 'node:util'

const mask = '[secret]'

/** A value that must not reach a log, an error or an answer: every way to print it gives `[secret]`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return mask
  }

  toJSON(): string {
    return mask
  }

  static {
    Object.defineProperty(Secret.prototype, inspect.custom, { value: () => mask })
  }
}
