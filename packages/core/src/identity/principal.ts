/** A principal's place in an organisation. */
export interface Membership {
  readonly organisationId: string
  readonly role: 'owner' | 'admin' | 'member'
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
  readonly memberships: readonly Membership[]
  /** Name of the strategy that found it. */
  readonly strategy: string
  /** Set for a session. */
  readonly session?: { readonly id: string; readonly authenticatedAt: Date; readonly expiresAt: Date }
}

/** Whether two credentials are of one and the same principal's person or machine. */
export function samePrincipal(a: Principal, b: Principal): boolean {
  return a.kind === b.kind && a.id === b.id
}
