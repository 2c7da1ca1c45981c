import type { Plugin, UserDirectory } from '@sallyport/core'
import { ownUsers } from './directory/own-users.js'
import { directory } from './directory/plugin.js'
import { mail } from './mail/plugin.js'
import { oneTimeTokens } from './one-time/plugin.js'
import { type BreachedPasswordCheck, passwordPolicy } from './password-policy.js'

/** What a host registers to have people sign in. */
export interface AuthConfig {
  /** Ways to sign in, such as `session()`: each a plugin of its own. What is not listed is not there, its routes neither. */
  readonly strategies: readonly Plugin[]
  /** Who can sign in: the built-in `directory()` (the default), another plugin that provides `UserDirectory`, or one as it is. */
  readonly users?: Plugin | UserDirectory
  /** How mail is sent: `mail({ url })`, or another plugin that provides `Mailer`. Default: it is written to the log. */
  readonly mailer?: Plugin
  /** Asked about every password that somebody chooses. */
  readonly isBreachedPassword?: BreachedPasswordCheck
}

/**
 * Gives the plugins of a way to sign in: where users come from, the strategies, and what these share. To be listed among
 * a kernel's plugins: `createKernel({ plugins: [auth({ strategies: [session()] })] })`.
 */
export function auth(config: AuthConfig): readonly Plugin[] {
  const { strategies, users = directory(), mailer = mail(), isBreachedPassword } = config
  return [
    passwordPolicy(isBreachedPassword),
    oneTimeTokens(),
    mailer,
    isPlugin(users) ? users : ownUsers(users),
    ...strategies,
  ]
}

function isPlugin(users: Plugin | UserDirectory): users is Plugin {
  return 'setup' in users
}
