import { FormDialog } from '../ui/dialog.js'
import { type FormFields, TextField } from '../ui/form.js'
import { useFresh } from '../ui/fresh.js'
import { say } from '../ui/say.js'
import type { UserDialogProps } from './change-user.js'
import { maxNameLength } from './limits.js'

export function EditProfile({ user, change, onClose }: UserDialogProps) {
  const fresh = useFresh()
  const save = async (fields: FormFields) => {
    const email = fields.text('email')
    const name = fields.text('name') || null
    const isMoved = email !== user.email
    if (!isMoved && name === user.name) return
    await fresh(() => change({ name, ...(isMoved && { email }) }))
    say('The profile is saved.')
  }
  return (
    <FormDialog title="Edit profile" submit="Save" onSubmit={save} onClose={onClose}>
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autocomplete="off"
        required
        defaultValue={user.email}
        hint="They sign in with it, and get mail there when they have forgotten their password."
        autoFocus
      />
      <TextField
        label="Name"
        name="name"
        autocomplete="off"
        maxLength={maxNameLength}
        defaultValue={user.name ?? ''}
        hint="Can be left empty."
      />
    </FormDialog>
  )
}
