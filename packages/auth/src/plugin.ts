import type { Plugin, UserDirectory } from '@sallyport/core'
import { ownUsers } from './directory/own-users.js'
import { directory } from './directory/plugin.js'

/** What a host registers to have people sign in. */
export interface AuthConfig {
  /** Ways to sign in, such as `session()`: each a plugin of its own. What is not listed is not there, its routes neither. */
  readonly strategies: readonly Plugin[]
  /** Who can sign in: the built-in `directory()` (the default), another plugin that provides `UserDirectory`, or one as it is. */
  readonly users?: Plugin | UserDirectory
}

/**
 * Gives the plugins of a way to sign in: where users come from, and the strategies. To be listed among a kernel's
 * plugins: `createKernel({ plugins: [auth({ strategies: [session()] })] })`.
 */
export function auth({ strategies, users = directory() }: AuthConfig): readonly Plugin[] {
  return [isPlugin(users) ? users : ownUsers(users), ...strategies]
}

function isPlugin(users: Plugin | UserDirectory): users is Plugin {
  return 'setup' in users
}
