import type { Audit, Http, Principal, UserDirectory } from '@sallyport/core'
import { authErrors } from '../../errors.js'
import type { Mailer } from '../../mail/mailer.js'
import type { PasswordPolicy } from '../../password-policy.js'
import type { Attempts } from '../../sign-in/attempts.js'
import type { Background } from '../../sign-in/background.js'
import type { OpenSignIn } from '../../sign-in/create-sign-in.js'
import type { RefusalGrid } from '../../sign-in/refusal-grid.js'
import type { PasswordReset } from './password-reset.js'
import type { SessionStore } from './session-store.js'

/** What the routes of sessions work with. */
export interface SessionRouteOptions {
  readonly http: Http
  readonly users: UserDirectory
  readonly audit: Audit
  /** Of passwords. */
  readonly attempts: Attempts
  /** Of asking for a new password. */
  readonly resetRequests: Attempts
  readonly refusals: RefusalGrid
  readonly store: SessionStore
  readonly signIn: OpenSignIn
  readonly policy: PasswordPolicy
  readonly resets: PasswordReset
  readonly mailer: Mailer
  readonly background: Background
}

/** Group in the OpenAPI document. */
export const tag = 'Sign-in'

/** Access of routes for people, whatever strategy found them; no key or device passes. */
export const people: { readonly kinds: readonly ['user'] } = { kinds: ['user'] }

/** The session of a request. Throws `AUTH_ERR_SESSION_REQUIRED` when a strategy without sessions found its user. */
export function sessionOf(principal: Principal): NonNullable<Principal['session']> {
  if (!principal.session) throw authErrors.SESSION_REQUIRED()
  return principal.session
}
