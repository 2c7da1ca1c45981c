import { Badge } from '../ui/badge.js'
import { titleOf } from './permissions.js'

const shown = 2

/** Permissions in the space of a table's cell. */
export function PermissionSummary({ permissions, none }: { permissions: readonly string[]; none: string }) {
  if (permissions.includes('*')) return <Badge>Everything</Badge>
  if (permissions.length === 0) return <span class="text-light">{none}</span>
  const rest = permissions.slice(shown)
  return (
    <span title={permissions.join(', ')}>
      {permissions.slice(0, shown).map(titleOf).join(', ')}
      {rest.length > 0 && ` and ${rest.length} more`}
    </span>
  )
}
