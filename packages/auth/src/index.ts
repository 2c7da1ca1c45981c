export type { GeneratedPasswordHandler } from './directory/first-administrator.js'
export {
  type MappedDirectory,
  type MappedRows,
  type MappedUser,
  mappedDirectory,
  type UserMapping,
} from './directory/mapped-directory.js'
export type { MemberView, OrganisationView } from './directory/organisations/organisation-view.js'
export { type DirectoryConfig, directory } from './directory/plugin.js'
export type { Quotas } from './directory/quotas.js'
export type { UserIdType } from './directory/user-ids.js'
export type { UserView } from './directory/user-view.js'
export { normaliseEmail } from './email.js'
export { authErrors } from './errors.js'
export { type Mail, Mailer } from './mail/mailer.js'
export { type MailConfig, mail } from './mail/plugin.js'
export { type OneTimeToken, type OneTimeTokenRequest, OneTimeTokens } from './one-time/one-time-tokens.js'
export { type BreachedPasswordCheck, PasswordPolicy } from './password-policy.js'
export { discourseHash } from './passwords/discourse.js'
export type { PasswordScheme } from './passwords/password-scheme.js'
export { type AuthConfig, auth } from './plugin.js'
export type { AttemptLimit, AttemptLimits } from './sign-in/attempts.js'
export {
  type ReauthenticationProof,
  type SecondFactor,
  type SecondFactorRequired,
  type SignedIn,
  SignIn,
  type SignInMethod,
  type SignInRequest,
} from './sign-in/sign-in.js'
export { type ApiKeyConfig, apiKey } from './strategies/api-key/plugin.js'
export type { ApiKeyView } from './strategies/api-key/views.js'
export type { PasskeyView } from './strategies/passkey/passkey-view.js'
export { type PasskeyConfig, passkey } from './strategies/passkey/plugin.js'
export { type SessionConfig, session } from './strategies/session/plugin.js'
export { type Session, type SessionOrigin, Sessions } from './strategies/session/sessions.js'
export type { AccountView, SessionView } from './strategies/session/views.js'
export { type TwoFactorConfig, twoFactor } from './strategies/two-factor/plugin.js'
export { version } from './version.js'
