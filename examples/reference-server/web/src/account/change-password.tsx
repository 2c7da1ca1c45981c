import { api, unwrap } from '../api.js'
import { useUser } from '../session.js'
import { FormDialog } from '../ui/dialog.js'
import { TextField } from '../ui/form.js'
import { AccountName, NewPasswordField } from '../ui/password-field.js'
import { isRefused, reworded } from '../ui/problem.js'
import { say } from '../ui/say.js'

interface ChangePasswordProps {
  readonly onChanged: () => unknown
  readonly onClose: () => void
}

export function ChangePassword({ onChanged, onClose }: ChangePasswordProps) {
  const { email } = useUser()
  return (
    <FormDialog
      title="Change password"
      submit="Change password"
      onClose={onClose}
      onSubmit={async (fields) => {
        const body = { currentPassword: fields.raw('currentPassword'), newPassword: fields.raw('newPassword') }
        try {
          await unwrap(api.POST('/api/auth/password', { body }))
        } catch (error) {
          throw reworded(
            error,
            {
              invalid_credentials: 'The current password is wrong',
              not_found: 'Passwords are not changed here. Ask who runs the panel.',
            },
            isRefused(error, 'invalid_credentials') ? 'currentPassword' : undefined,
          )
        }
        say('Your password is changed. Other sessions have ended.')
        onChanged()
      }}
    >
      <p>You stay signed in here. All your other sessions end, and you are told by e-mail.</p>
      <AccountName email={email} />
      <TextField
        label="Current password"
        name="currentPassword"
        type="password"
        autocomplete="current-password"
        required
        autoFocus
      />
      <NewPasswordField label="New password" name="newPassword" hint="At least 8 characters." />
    </FormDialog>
  )
}
