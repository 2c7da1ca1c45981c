import type { ApiKeyEntry } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useSession, useUser } from '../session.js'
import { Page, Section } from '../ui/page.js'
import { PagedTable } from '../ui/paged-table.js'
import { usePages } from '../ui/pages.js'
import { Empty } from '../ui/states.js'
import { CreateKey } from './create-key.js'
import { KeyDialog } from './key-dialog.js'
import { KeyShown } from './key-shown.js'
import { type KeyAsk, keyColumns, keyText } from './key-table.js'
import { OthersKeys } from './others-keys.js'

export function Keys() {
  const { may } = useSession()
  const { id: userId } = useUser()
  const [isCreating, setCreating] = useState(false)
  const [asked, setAsked] = useState<KeyAsk>()
  const [shown, setShown] = useState<{ key: string; entry: ApiKeyEntry }>()
  // All of them come at once.
  const own = usePages(async ({ offset }) => {
    if (offset > 0) return { items: [], total: 0 }
    const { apiKeys, total } = await unwrap(api.GET('/api/apikeys/my'))
    return { items: apiKeys, total }
  }, true)
  const create = (
    <button type="button" onClick={() => setCreating(true)}>
      Create key
    </button>
  )
  const columns = keyColumns((action, entry) => setAsked({ action, entry }))

  return (
    <Page title="API keys" actions={own.data?.total ? create : undefined}>
      <Section title="Your keys" hint="A key lets a program use the panel in your name, without your password.">
        <PagedTable
          pages={own}
          label="Your API keys"
          noun="keys"
          columns={columns}
          textOf={keyText}
          empty={
            <Empty title="You have no API keys">
              <p>Create one for a script, a bot or a server plugin. It may do only what you choose for it.</p>
              {create}
            </Empty>
          }
        />
      </Section>
      {/* Below a list whose length is known: else it would jump. */}
      {may('apikeys:read') && (own.data ?? own.error) !== undefined && (
        <OthersKeys userId={userId} onKey={(key, entry) => setShown({ key, entry })} />
      )}
      {isCreating && (
        <CreateKey
          onCreated={(key, entry) => {
            own.put(entry)
            setShown({ key, entry })
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {asked && (
        <KeyDialog
          {...asked}
          onChanged={own.put}
          onDeleted={own.remove}
          onKey={(key, entry) => setShown({ key, entry })}
          onClose={() => setAsked(undefined)}
        />
      )}
      {shown && <KeyShown apiKey={shown.key} entry={shown.entry} onClose={() => setShown(undefined)} />}
    </Page>
  )
}
