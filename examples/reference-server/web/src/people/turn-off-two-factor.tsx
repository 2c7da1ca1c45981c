import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import { useFresh } from '../ui/fresh.js'
import { say } from '../ui/say.js'
import type { UserDialogProps } from './change-user.js'

export function TurnOffTwoFactor({ user, onClose }: UserDialogProps) {
  const fresh = useFresh()
  const turnOff = async () => {
    await fresh(() => unwrap(api.DELETE('/api/users/{id}/2fa', { params: { path: { id: user.id } } })))
    say('Their two-factor authentication is off.')
  }
  return (
    <FormDialog
      title="Turn off two-factor authentication?"
      submit="Turn off"
      danger
      onSubmit={turnOff}
      onClose={onClose}
    >
      <p>
        From then on <bdi>{user.name ?? user.email}</bdi> signs in with their password alone. Their app’s codes and
        recovery codes no longer work; they can set it up anew. Their passkeys stay.
      </p>
      <p>Be sure that it is they who asked you. If it was off already, nothing changes.</p>
    </FormDialog>
  )
}
