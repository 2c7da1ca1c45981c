import {
  type DirectoryUser,
  type Disposer,
  defineService,
  type Principal,
  type RouteContext,
  type ServiceToken,
} from '@sallyport/core'
import type { AccountView } from '../strategies/session/views.js'

/** A way in which somebody proved who they are, as sessions and the audit log name it. */
export type SignInMethod = 'password' | 'totp' | 'email' | 'recovery-code' | 'passkey' | (string & {})

/** The request that somebody signs in by; a route's context fits. */
export type SignInRequest = Pick<RouteContext, 'ip' | 'requestId' | 'request' | 'reply'>

/** Answer to a completed sign-in. */
export interface SignedIn {
  readonly token: string
  readonly user: AccountView
}

/** Answer to a password that is right and not enough. */
export interface SecondFactorRequired {
  readonly twoFactorRequired: true
  /** Redeemed once, for a session, together with a second factor. No credential by itself. */
  readonly tempToken: string
  /** Such as `totp`, `email`, `recovery-code`. */
  readonly methods: readonly SignInMethod[]
}

/** What a user may have set up to be asked for after their password. */
export interface SecondFactor {
  readonly name: string
  isEnabled(userId: string): Promise<boolean>
  /** Begins to ask a user for whom it is enabled. */
  challenge(user: DirectoryUser): Promise<Omit<SecondFactorRequired, 'twoFactorRequired'>>
}

/** A way to prove again who one is, in a session: a field of `POST /api/auth/reauthenticate`. */
export interface ReauthenticationProof {
  /** Unique. The body carries exactly one; `password` is the session strategy's own. */
  readonly field: 'token' | 'response'
  /**
   * Gives the method by which `value` proves that it is the user, `undefined` when it does not (401). Counts wrong tries
   * itself. Throws catalogued errors for what is malformed or too much.
   */
  verify(user: DirectoryUser, value: unknown, request: SignInRequest): Promise<SignInMethod | undefined>
}

/** How every way to sign in ends, and what it has in common with the others. Provided by `session()`. */
export interface SignIn {
  addSecondFactor(factor: SecondFactor): Disposer
  addProof(proof: ReauthenticationProof): Disposer
  /** Whether the user is asked for more than a password. */
  hasSecondFactor(userId: string): Promise<boolean>
  /**
   * Begins a session for a user who has proved all that is asked, sets the cookie and records it.
   * @param methods by what they proved it
   * @throws `AUTH_ERR_LOGIN_REFUSED` (401) when the user is suspended
   */
  complete(user: DirectoryUser, methods: readonly SignInMethod[], request: SignInRequest): Promise<SignedIn>
  /** The same for who has proved a first factor alone: completes, unless a second factor is enabled for the user. */
  completeFirstFactor(
    user: DirectoryUser,
    method: SignInMethod,
    request: SignInRequest,
  ): Promise<SignedIn | SecondFactorRequired>
  /** Records that somebody failed to sign in. `data` holds no secret. */
  recordRefusal(request: SignInRequest, data: Readonly<Record<string, unknown>>): Promise<void>
  /**
   * Lets pass what only somebody may do who proved within the last 10 minutes who they are, with a second factor if they
   * have one. Credentials that are no session pass: what they may do is decided elsewhere.
   * @throws `AUTH_ERR_REAUTHENTICATION_REQUIRED` (403)
   */
  assertFresh(principal: Principal): Promise<void>
  /** Notes in the caller's session, if they have one, that they have proved who they are by `method` too, just now. */
  strengthen(principal: Principal, method: SignInMethod): Promise<void>
  /** Throws `AUTH_ERR_CROSS_SITE_REQUEST` (403) for what another site's page sends, by whatever method. */
  assertSameSite(request: SignInRequest): void
  /**
   * The same for what comes with the session cookie. Unsafe methods are refused everywhere by themselves: this is for a
   * GET that changes something.
   */
  assertUnforged(request: SignInRequest): void
}

export const SignIn: ServiceToken<SignIn> = defineService<SignIn>('auth.sign-in')
