import type { ApiKeyEntry } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useEmails } from '../people/names.js'
import { useSession } from '../session.js'
import { Section } from '../ui/page.js'
import { PagedTable } from '../ui/paged-table.js'
import { usePages } from '../ui/pages.js'
import { Empty } from '../ui/states.js'
import type { Column } from '../ui/table.js'
import { KeyDialog } from './key-dialog.js'
import { type KeyAsk, keyColumns, keyText } from './key-table.js'

interface OthersKeysProps {
  /** Whose keys are shown elsewhere. */
  readonly userId: string
  readonly onKey: (key: string, entry: ApiKeyEntry) => void
}

/** Everyone else's keys, for who may see them. */
export function OthersKeys({ userId, onKey }: OthersKeysProps) {
  const { may } = useSession()
  const emails = useEmails()
  const [asked, setAsked] = useState<KeyAsk>()
  const pages = usePages(async (query) => {
    const { apiKeys, total } = await unwrap(api.GET('/api/apikeys', { params: { query } }))
    return { items: apiKeys, total }
  }, true)
  const nameOf = (entry: ApiKeyEntry) => emails.get(entry.userId) ?? `User ${entry.userId.slice(0, 8)}`
  const owner: Column<ApiKeyEntry> = {
    title: 'Owner',
    cell: (entry) =>
      may('users:read') ? <a href={`/users/${entry.userId}`}>{nameOf(entry)}</a> : <span>{nameOf(entry)}</span>,
  }
  const mayWrite = may('apikeys:write') || may('users:write')
  const ask = mayWrite ? (action: KeyAsk['action'], entry: ApiKeyEntry) => setAsked({ action, entry }) : undefined
  // Nobody changes a key that may do what they may not.
  const mayChange = (entry: ApiKeyEntry) => entry.permissions.every(may)
  const [key, ...rest] = keyColumns(ask, mayChange)

  return (
    <Section title="Keys of others">
      <PagedTable
        pages={pages}
        label="API keys of others"
        noun="keys"
        columns={[...(key ? [key] : []), owner, ...rest]}
        textOf={(entry) => `${keyText(entry)} ${nameOf(entry)}`}
        hides={(entry) => entry.userId === userId}
        empty={<Empty title="Nobody else has an API key" />}
      />
      {asked && (
        <KeyDialog
          {...asked}
          owner={nameOf(asked.entry)}
          onChanged={pages.put}
          onDeleted={pages.remove}
          onKey={onKey}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Section>
  )
}
