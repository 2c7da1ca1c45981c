import type { User } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { FormDialog } from '../ui/dialog.js'
import { type FormFields, TextField } from '../ui/form.js'
import { say } from '../ui/say.js'
import { maxNameLength } from './limits.js'
import { PasswordChoice, passwordOf } from './password-choice.js'
import { chosenPermissions, PermissionChoice } from './permission-choice.js'
import { knownPermissions } from './permissions.js'

interface CreateUserProps {
  /** With the password, when it is one that nobody has seen yet. */
  readonly onCreated: (user: User, password: string | undefined) => void
  readonly onClose: () => void
}

export function CreateUser({ onCreated, onClose }: CreateUserProps) {
  const { may } = useSession()
  const create = async (fields: FormFields) => {
    const { password, generated } = passwordOf(fields)
    const name = fields.text('name')
    const body = {
      email: fields.text('email'),
      password,
      permissions: chosenPermissions(fields),
      ...(name !== '' && { name }),
    }
    const { user } = await unwrap(api.POST('/api/users', { body }))
    onCreated(user, generated ? password : undefined)
    say(`${user.name ?? user.email} is created.`)
  }
  return (
    <FormDialog title="Create a user" submit="Create user" onSubmit={create} onClose={onClose}>
      <TextField label="E-mail" name="email" type="email" autocomplete="off" required autoFocus />
      <TextField label="Name" name="name" autocomplete="off" maxLength={maxNameLength} hint="Can be left empty." />
      <PasswordChoice />
      <PermissionChoice
        offered={knownPermissions.filter(({ name }) => may(name))}
        offersEverything={may('*')}
        hint="Without any they have their own devices, tunnels and organisations. You can give what you hold yourself."
      />
    </FormDialog>
  )
}
