/** A permission of the panel, as people understand it. */
export interface KnownPermission {
  readonly name: string
  readonly title: string
  readonly about: string
}

export const everything: KnownPermission = {
  name: '*',
  title: 'Everything',
  about: 'An administrator: all of this panel, now and with whatever is added to it.',
}

/** What the panel itself asks for. Plugins of a host may have others. */
export const knownPermissions: readonly KnownPermission[] = [
  { name: 'tunnels:read', title: 'See all tunnels', about: 'Devices and tunnels of everyone, with their traffic.' },
  { name: 'tunnels:write', title: 'Manage all tunnels', about: 'Create, change and delete them, whosever they are.' },
  { name: 'tunnels:approve', title: 'Approve devices', about: 'Let a new device in by its code, for anyone.' },
  { name: 'users:read', title: 'See users', about: 'Names, e-mail addresses, permissions and quotas of everyone.' },
  { name: 'users:write', title: 'Manage users', about: 'Create, change, suspend and delete them.' },
  { name: 'organisations:read', title: 'See all organisations', about: 'And who belongs to them.' },
  { name: 'organisations:write', title: 'Manage all organisations', about: 'Their names, members and quotas.' },
  {
    name: 'apikeys:read',
    title: 'See all API keys',
    about: 'Whose they are and what they may do. Never a key itself.',
  },
  { name: 'apikeys:write', title: 'Manage all API keys', about: 'Change and delete the keys of others.' },
  { name: 'settings:write', title: 'Change the settings', about: 'Of the whole panel, such as quotas.' },
  { name: 'audit:read', title: 'Read the audit log', about: 'Who did what, when and from where.' },
]

/** Everyone may give these to an API key of their own: within it they open what is its owner's. */
export const ownScopes: readonly KnownPermission[] = [
  { name: 'tunnels:read', title: 'See your tunnels', about: 'Your devices and tunnels, with their traffic.' },
  { name: 'tunnels:write', title: 'Manage your tunnels', about: 'Create, change and delete your devices and tunnels.' },
]

/** `See users`; one that is not known by its own name. */
export function titleOf(permission: string): string {
  return [everything, ...knownPermissions].find(({ name }) => name === permission)?.title ?? permission
}
