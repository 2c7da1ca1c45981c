import type { ApiKeyEntry } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import type { FormFields } from '../ui/form.js'
import { useFresh } from '../ui/fresh.js'
import { KeyFields, keyFields } from './key-fields.js'

interface CreateKeyProps {
  readonly onCreated: (key: string, entry: ApiKeyEntry) => void
  readonly onClose: () => void
}

export function CreateKey({ onCreated, onClose }: CreateKeyProps) {
  const fresh = useFresh()
  const create = async (fields: FormFields) => {
    const { name, allowedIps, permissions, expiresAt } = keyFields(fields)
    const isAdmin = fields.text('type') === 'admin'
    const body = {
      name,
      allowedIps,
      ...(isAdmin ? { type: 'admin' as const } : { type: 'client' as const, permissions }),
      ...(expiresAt && { expiresAt }),
    }
    const { apiKey, entry } = await fresh(() => unwrap(api.POST('/api/apikeys', { body })))
    onCreated(apiKey, entry)
  }
  return (
    <FormDialog title="Create an API key" submit="Create key" onSubmit={create} onClose={onClose}>
      <KeyFields />
    </FormDialog>
  )
}
