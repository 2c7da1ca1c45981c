/** A relay that could serve a new allocation: online, not draining, with room, open to the device's organisation. */
export interface RelayCandidate {
  readonly id: string
  readonly host: string
  readonly hostGroup: string
  readonly region: string | null
  readonly labels: Readonly<Record<string, string>>
  /** The organisation whose relay it is; null: everyone's. */
  readonly organisationId: string | null
  /** Allocations at most; null: no bound of its own. */
  readonly capacity: number | null
  readonly allocations: number
  /** Players now. */
  readonly connections: number
}

export interface RelayRequest {
  readonly deviceId: string
  readonly ownerId: string | null
  readonly organisationId: string | null
  /** Wanted, by name; null: any. */
  readonly region: string | null
  readonly protocols: readonly ('tcp' | 'udp')[]
}

/**
 * Chooses among candidates, of which there is at least one: the best first, the others as they are to be tried when no port
 * is free there; what is left out is not tried. Throws nothing; what it throws is an internal error.
 */
export type RelayPolicy = (
  request: RelayRequest,
  candidates: readonly RelayCandidate[],
) => readonly RelayCandidate[] | Promise<readonly RelayCandidate[]>
