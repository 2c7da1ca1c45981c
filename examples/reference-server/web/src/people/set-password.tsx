import { FormDialog } from '../ui/dialog.js'
import type { FormFields } from '../ui/form.js'
import { useFresh } from '../ui/fresh.js'
import { say } from '../ui/say.js'
import type { UserDialogProps } from './change-user.js'
import { PasswordChoice, passwordOf } from './password-choice.js'

interface SetPasswordProps extends UserDialogProps {
  /** With one that nobody has seen yet. */
  readonly onGenerated: (password: string) => void
}

export function SetPassword({ user, change, onGenerated, onClose }: SetPasswordProps) {
  const fresh = useFresh()
  const save = async (fields: FormFields) => {
    const { password, generated } = passwordOf(fields)
    await fresh(() => change({ password }))
    if (generated) onGenerated(password)
    say('The password is set.')
  }
  return (
    <FormDialog title="Set a password" submit="Set password" onSubmit={save} onClose={onClose}>
      <p>
        The present password of <bdi>{user.name ?? user.email}</bdi> no longer works, and every session of theirs ends.
        Their API keys and tunnels stay.
      </p>
      <PasswordChoice />
    </FormDialog>
  )
}
