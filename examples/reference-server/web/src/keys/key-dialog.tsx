import type { ApiKeyEntry } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import type { FormFields } from '../ui/form.js'
import { useFresh } from '../ui/fresh.js'
import { say } from '../ui/say.js'
import { KeyFields, keyFields } from './key-fields.js'
import type { KeyAsk } from './key-table.js'

interface KeyDialogProps extends KeyAsk {
  /** Whose it is, when it is another's. */
  readonly owner?: string
  readonly onChanged: (entry: ApiKeyEntry) => void
  readonly onDeleted: (id: string) => void
  /** Of a key that is shown once. */
  readonly onKey: (key: string, entry: ApiKeyEntry) => void
  readonly onClose: () => void
}

/** What can be done with a key that there is. */
export function KeyDialog({ action, entry, owner, onChanged, onDeleted, onKey, onClose }: KeyDialogProps) {
  const fresh = useFresh()
  const path = { params: { path: { id: entry.id } } }
  const whose = owner === undefined ? '' : ` of ${owner}`

  if (action === 'change') {
    const change = async (fields: FormFields) => {
      const { permissions, ...rest } = keyFields(fields)
      const body = entry.type === 'admin' ? rest : { ...rest, permissions }
      const changed = await fresh(() => unwrap(api.PATCH('/api/apikeys/{id}', { ...path, body })))
      onChanged(changed.entry)
      say('The key is changed.')
    }
    return (
      <FormDialog title={`Change “${entry.name}”${whose}`} submit="Save" onSubmit={change} onClose={onClose}>
        <KeyFields entry={entry} />
      </FormDialog>
    )
  }

  if (action === 'rotate') {
    const rotate = async () => {
      const rotated = await fresh(() => unwrap(api.POST('/api/apikeys/{id}/rotate', path)))
      onChanged(rotated.entry)
      onKey(rotated.apiKey, rotated.entry)
    }
    return (
      <FormDialog
        title={`Rotate “${entry.name}”${whose}?`}
        submit="Rotate key"
        danger
        onSubmit={rotate}
        onClose={onClose}
      >
        <p>You get a new key with the same permissions. It is shown once.</p>
        <p>
          The old key <code>{entry.prefix}…</code> stops working at once, and so do keys that were made with it.
          Whatever uses it fails until it has the new one.
        </p>
      </FormDialog>
    )
  }

  const remove = async () => {
    await fresh(() => unwrap(api.DELETE('/api/apikeys/{id}', path)))
    onDeleted(entry.id)
    say('The key is deleted.')
  }
  return (
    <FormDialog
      title={`Delete “${entry.name}”${whose}?`}
      submit="Delete key"
      danger
      onSubmit={remove}
      onClose={onClose}
    >
      <p>
        The key <code>{entry.prefix}…</code> stops working at once, and so do keys that were made with it. Whatever uses
        it can no longer reach the panel. This cannot be undone.
      </p>
    </FormDialog>
  )
}
