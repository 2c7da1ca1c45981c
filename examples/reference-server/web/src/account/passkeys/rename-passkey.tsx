import type { Passkey } from '@sallyport/relay/client'
import { api, unwrap } from '../../api.js'
import { FormDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/form.js'

interface RenamePasskeyProps {
  readonly passkey: Passkey
  readonly onRenamed: () => unknown
  readonly onClose: () => void
}

export function RenamePasskey({ passkey: { id, name }, onRenamed, onClose }: RenamePasskeyProps) {
  return (
    <FormDialog
      title="Rename passkey"
      submit="Rename"
      onClose={onClose}
      onSubmit={async (fields) => {
        const body = { name: fields.text('name') }
        await unwrap(api.PATCH('/api/auth/passkeys/{id}', { params: { path: { id } }, body }))
        await onRenamed()
      }}
    >
      <TextField label="Name" name="name" defaultValue={name} autocomplete="off" maxLength={200} required autoFocus />
    </FormDialog>
  )
}
