export type { GeneratedPasswordHandler } from './directory/first-administrator.js'
export { type DirectoryConfig, directory } from './directory/plugin.js'
export type { UserView } from './directory/user-view.js'
export { normaliseEmail } from './email.js'
export { authErrors } from './errors.js'
export { type Mail, Mailer } from './mail/mailer.js'
export { mail } from './mail/plugin.js'
export { type OneTimeToken, type OneTimeTokenRequest, OneTimeTokens } from './one-time/one-time-tokens.js'
export { type BreachedPasswordCheck, PasswordPolicy } from './password-policy.js'
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
export { type SessionConfig, session } from './strategies/session/plugin.js'
export { type Session, type SessionOrigin, Sessions } from './strategies/session/sessions.js'
export type { AccountView, SessionView } from './strategies/session/views.js'
export { version } from './version.js'
