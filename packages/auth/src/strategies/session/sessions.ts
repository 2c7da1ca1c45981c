import { type DirectoryUser, defineService, type ServiceToken } from '@sallyport/core'

/** A session that is in force. */
export interface Session {
  readonly id: string
  readonly userId: string
  readonly createdAt: Date
  /** When its user last proved who they are: what is delicate asks for this to be recent. */
  readonly authenticatedAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly ip: string
  readonly userAgent: string | null
  /** By what its user proved who they are, such as `password` and `totp`. */
  readonly methods: readonly string[]
}

/** Where a session begins. */
export interface SessionOrigin {
  readonly ip: string
  readonly userAgent: string | undefined
  /** Default `['password']`. Any other says that it is more than a password. */
  readonly methods?: readonly string[]
}

/** The sessions of everyone. For strategies that end in a session, and for a host's own way to sign in. */
export interface Sessions {
  /** Begins one for a user who has proved who they are, and gives the token that the client will send. */
  begin(user: DirectoryUser, origin: SessionOrigin): Promise<{ readonly token: string; readonly session: Session }>
  /** A user's, latest used first. */
  list(user: DirectoryUser): Promise<readonly Session[]>
  /** Ends one; its token is dead at once, on every instance. `false` when the user has no such session. */
  revoke(userId: string, id: string): Promise<boolean>
  /** Ends all but one and says how many. */
  revokeOthers(userId: string, keptId: string): Promise<number>
  /** Ends all and says how many. */
  revokeAll(userId: string): Promise<number>
  /**
   * After the user has changed their password in session `keptId`: it goes on, under the new stamp and freshly
   * authenticated; those under another stamp end.
   */
  renew(user: DirectoryUser, keptId: string): Promise<void>
}

export const Sessions: ServiceToken<Sessions> = defineService<Sessions>('auth.sessions')
