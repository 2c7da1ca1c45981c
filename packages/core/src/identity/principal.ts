/** A principal's place in an organisation. */
export interface Membership {
  readonly organisationId: string
  readonly role: 'owner' | 'admin' | 'member'
}

/** The session that a request is made with. */
export interface PrincipalSession {
  readonly id: string
  /** When its user last proved who they are: what is delicate asks for this to be recent. */
  readonly authenticatedAt: Date
  readonly expiresAt: Date
  /** By what its user proved who they are, such as `password` and `totp`. */
  readonly methods: readonly string[]
}

/** Who makes a request, as an authentication strategy found out. Immutable. */
export interface Principal {
  /** `user`: a person's session. `apiKey`: a key, acting for `userId` or the panel. `device`: a tunnel device. */
  readonly kind: 'user' | 'apiKey' | 'device'
  /** Unique within its kind: the user's, key's or device's id. */
  readonly id: string
  /** The person on whose behalf it acts, if any; for `user` the same as `id`. */
  readonly userId?: string
  /** For the audit log. */
  readonly name?: string
  /** Grants such as `servers:read`, `servers:*` or `*`; see `permits`. */
  readonly permissions: readonly string[]
  /**
   * For an API key: what it was given, before that was narrowed to what its owner holds. It opens what every user may do with what is
   * their own, such as their own tunnels; for everything else `permissions` counts.
   */
  readonly scopes?: readonly string[]
  readonly memberships: readonly Membership[]
  /** Name of the strategy that found it. */
  readonly strategy: string
  /** Set for a session. */
  readonly session?: PrincipalSession
}

/** Whether two credentials are of one and the same principal's person or machine. */
export function samePrincipal(a: Principal, b: Principal): boolean {
  return a.kind === b.kind && a.id === b.id
}
