import { type DirectoryChange, defineEvent, definePlugin, Events, type Plugin, UserDirectory } from '@sallyport/core'
import { version } from '../version.js'

/** What the host tells one instance of the panel is heard by all. */
const ownUserChanged = defineEvent<DirectoryChange>('auth.own-user.changed')

/** A plugin that provides the host's own `UserDirectory`. */
export function ownUsers(users: UserDirectory): Plugin {
  const plugin = definePlugin({
    name: '@sallyport/auth.own-users',
    version,
    requires: { events: Events },
    provides: { users: UserDirectory },
    setup({ services: { events }, scope }) {
      scope.defer(users.onChange((change) => events.emit(ownUserChanged, change)))
      return { users: withFeed(users, (handler) => events.on(ownUserChanged, handler)) }
    },
  })
  return plugin()
}

/** The same directory with another change feed; methods keep their object, which may be of a class. */
function withFeed(users: UserDirectory, onChange: UserDirectory['onChange']): UserDirectory {
  const { changePassword, findOrganisation } = users
  return {
    findById: (id) => users.findById(id),
    findByEmail: (email) => users.findByEmail(email),
    verifyPassword: (email, password) => users.verifyPassword(email, password),
    ...(changePassword && { changePassword: changePassword.bind(users) }),
    ...(findOrganisation && { findOrganisation: findOrganisation.bind(users) }),
    onChange,
  }
}
