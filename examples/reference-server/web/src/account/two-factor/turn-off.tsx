import { api, unwrap } from '../../api.js'
import { FormDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/form.js'
import { useFresh } from '../../ui/fresh.js'
import { isRefused, reworded } from '../../ui/problem.js'
import { say } from '../../ui/say.js'

interface TurnOffProps {
  readonly onDone: () => unknown
  readonly onClose: () => void
}

export function TurnOff({ onDone, onClose }: TurnOffProps) {
  const withFresh = useFresh()
  return (
    <FormDialog
      title="Turn off two-factor authentication"
      submit="Turn off"
      danger
      onClose={onClose}
      onSubmit={async (fields) => {
        const code = fields.text('code')
        const digits = code.replace(/[\s-]/g, '')
        const body = /^\d{6}$/.test(digits) ? { token: digits } : { backupCode: code }
        try {
          await withFresh(() => unwrap(api.POST('/api/auth/2fa/disable', { body })))
        } catch (error) {
          throw reworded(
            error,
            { invalid_code: 'The code is wrong or has been used' },
            isRefused(error, 'invalid_code') ? 'code' : undefined,
          )
        }
        say('Two-factor authentication is off.')
        onDone()
      }}
    >
      <p>
        From then on your password alone signs you in. The entry in your app and all your recovery codes stop working,
        and can be deleted.
      </p>
      <TextField
        label="Code of your authenticator app, or a recovery code"
        name="code"
        autocomplete="one-time-code"
        autocapitalize="off"
        spellcheck={false}
        maxLength={64}
        required
        autoFocus
      />
    </FormDialog>
  )
}
