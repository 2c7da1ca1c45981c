import { everything, knownPermissions } from './permissions.js'

/** Permissions, each with a word of explanation. */
export function PermissionList({ permissions }: { permissions: readonly string[] }) {
  if (permissions.length === 0) {
    return <p class="text-light">None: they have their own devices, tunnels and organisations.</p>
  }
  return (
    <ul class="permission-list">
      {permissions.map((name) => {
        const known = [everything, ...knownPermissions].find((one) => one.name === name)
        return (
          <li key={name}>
            {known?.title} <code>{name}</code>
            {known && <small class="text-light">{known.about}</small>}
          </li>
        )
      })}
    </ul>
  )
}
