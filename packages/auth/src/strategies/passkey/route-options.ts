import type { Audit, Http, RateLimit, UserDirectory } from '@sallyport/core'
import type { SignIn } from '../../sign-in/sign-in.js'
import type { Authentication } from './authentication.js'
import type { PasskeyStore } from './passkey-store.js'
import type { Registration } from './registration.js'
import type { RelyingParty } from './relying-party.js'

/** What the routes of passkeys work with. */
export interface PasskeyRouteOptions {
  readonly audit: Audit
  readonly authentication: Authentication
  /** Each is a row for 5 minutes, and nobody is asked who they are. */
  readonly challenges: RateLimit
  readonly http: Http
  readonly registration: Registration
  readonly relyingParty: () => RelyingParty
  readonly signIn: SignIn
  readonly store: PasskeyStore
  readonly users: UserDirectory
}

/** Group in the OpenAPI document. */
export const tag = 'Passkeys'
