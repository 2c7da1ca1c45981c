import type { ApiKeyEntry } from '@sallyport/relay/client'
import { PermissionSummary } from '../people/permission-summary.js'
import { Badge } from '../ui/badge.js'
import { Time } from '../ui/format.js'
import type { Column } from '../ui/table.js'

export interface KeyAsk {
  readonly action: 'change' | 'rotate' | 'delete'
  readonly entry: ApiKeyEntry
}

const soonMs = 7 * 86_400_000
const buttons = [
  ['change', 'Change'],
  ['rotate', 'Rotate'],
  ['delete', 'Delete'],
] as const

/**
 * @param ask left out: nothing can be done with them
 * @param mayChange which of them
 */
export function keyColumns(
  ask?: (action: KeyAsk['action'], entry: ApiKeyEntry) => void,
  mayChange: (entry: ApiKeyEntry) => boolean = () => true,
): Column<ApiKeyEntry>[] {
  const columns: Column<ApiKeyEntry>[] = [
    {
      title: 'Key',
      cell: ({ name, prefix, createdAt }) => (
        <div class="named">
          <bdi>{name}</bdi>
          <small class="text-light">
            <code>{prefix}…</code>
          </small>
          <small class="text-light">
            Created <Time at={createdAt} />
          </small>
        </div>
      ),
    },
    {
      title: 'May do',
      cell: ({ type, permissions }) =>
        type === 'admin' ? (
          <Badge>Administrator</Badge>
        ) : (
          <PermissionSummary permissions={permissions} none="Nothing special" />
        ),
    },
    { title: 'From', cell: ({ allowedIps }) => <Addresses addresses={allowedIps} /> },
    { title: 'Expires', cell: ({ expiresAt }) => <Expiry at={expiresAt} /> },
    { title: 'Last used', cell: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
  ]
  if (!ask) return columns
  const actions: Column<ApiKeyEntry> = {
    title: 'Actions',
    actions: true,
    cell: (entry) =>
      mayChange(entry) &&
      buttons.map(([action, words]) => (
        <button
          key={action}
          type="button"
          class="outline small"
          data-variant={action === 'delete' ? 'danger' : undefined}
          aria-label={`${words} ${entry.name}`}
          onClick={() => ask(action, entry)}
        >
          {words}
        </button>
      )),
  }
  return [...columns, actions]
}

/** What the filter looks in. */
export function keyText({ name, prefix, permissions, allowedIps }: ApiKeyEntry): string {
  return [name, prefix, ...permissions, ...allowedIps].join(' ')
}

function Addresses({ addresses }: { addresses: readonly string[] }) {
  const [first, ...rest] = addresses
  if (first === undefined) return <span class="text-light">anywhere</span>
  return (
    <span title={addresses.join('\n')}>
      {first}
      {rest.length > 0 && ` and ${rest.length} more`}
    </span>
  )
}

function Expiry({ at }: { at: string | null }) {
  if (at === null) return <span class="text-light">never</span>
  const left = Date.parse(at) - Date.now()
  if (left <= 0) return <Badge variant="danger">Expired</Badge>
  return left < soonMs ? (
    <Badge variant="warning">
      <Time at={at} />
    </Badge>
  ) : (
    <Time at={at} />
  )
}
