/** What an agent can show a relay: the resume ticket of its last link, or else the one that its owner gave. */
export class LinkTickets {
  #given: string | undefined
  #resume: string | undefined
  /** Of the owner, since the last WELCOME. */
  #asked = false

  constructor(given: string) {
    this.#given = given
  }

  /** The one to show next. */
  get current(): string | undefined {
    return this.#resume ?? this.#given
  }

  /** Another is tried at once, and the first time there is none it is said at once. When the new one is refused too, haste does not mend it. */
  get isHopeful(): boolean {
    return this.current !== undefined || !this.#asked
  }

  give(ticket: string): void {
    this.#given = ticket
  }

  asked(): void {
    this.#asked = true
  }

  welcomed(ticket: string, resume: string): void {
    this.spent(ticket)
    this.#resume = resume
    this.#asked = false
  }

  /** The relay has taken or refused it. */
  spent(ticket: string): void {
    if (this.#resume === ticket) this.#resume = undefined
    if (this.#given === ticket) this.#given = undefined
  }
}
