import { definePlugin, type Plugin, UserDirectory } from '@sallyport/core'
import { version } from '../version.js'

/** A plugin that provides the host's own `UserDirectory`, as it is. */
export function ownUsers(users: UserDirectory): Plugin {
  const plugin = definePlugin({
    name: '@sallyport/auth.own-users',
    version,
    provides: { users: UserDirectory },
    setup: () => ({ users }),
  })
  return plugin()
}
