import type { Audit, Http, Principal, UserDirectory } from '@sallyport/core'
import { authErrors } from '../../errors.js'
import type { PasswordPolicy } from '../../password-policy.js'
import type { Attempts } from '../../sign-in/attempts.js'
import type { OpenSignIn } from '../../sign-in/create-sign-in.js'
import type { SessionStore } from './session-store.js'

/** What the routes of sessions work with. */
export interface SessionRouteOptions {
  readonly http: Http
  readonly users: UserDirectory
  readonly audit: Audit
  readonly attempts: Attempts
  readonly store: SessionStore
  readonly signIn: OpenSignIn
  readonly policy: PasswordPolicy
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
