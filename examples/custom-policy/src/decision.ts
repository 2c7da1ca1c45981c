/** Something that was decided, or that a player left, for the log. Players' addresses are in it. */
export interface Decision {
  readonly about: 'relay' | 'allocation' | 'connection' | 'departure'
  /** The device, or of a player the address. */
  readonly subject: string
  readonly allowed: boolean
  /** The best, when relays were ranked. */
  readonly relayId?: string
  readonly why: string
}

export type Report = (decision: Decision) => void
