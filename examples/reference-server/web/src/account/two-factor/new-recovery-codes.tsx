import { api, unwrap } from '../../api.js'
import { CodeField, sixDigits } from '../../ui/code-field.js'
import { Dialog } from '../../ui/dialog.js'
import { Form, Submit } from '../../ui/form.js'
import { useFresh } from '../../ui/fresh.js'
import { isRefused, reworded } from '../../ui/problem.js'

interface NewRecoveryCodesProps {
  readonly onCodes: (recoveryCodes: readonly string[]) => void
  readonly onClose: () => void
}

export function NewRecoveryCodes({ onCodes, onClose }: NewRecoveryCodesProps) {
  const withFresh = useFresh()
  return (
    <Dialog title="New recovery codes" onClose={onClose}>
      <Form
        onSubmit={async (fields) => {
          const body = { token: sixDigits(fields, 'token') }
          try {
            const made = await withFresh(() => unwrap(api.POST('/api/auth/2fa/recovery-codes', { body })))
            onCodes(made.recoveryCodes)
          } catch (error) {
            throw reworded(
              error,
              { invalid_code: 'The code is wrong or has been used: wait for the next one' },
              isRefused(error, 'invalid_code') ? 'token' : undefined,
            )
          }
        }}
      >
        <div>
          <p>You get ten new ones. All that you have now stop working, on paper too.</p>
          <CodeField label="Code of your authenticator app" name="token" autoFocus />
        </div>
        <footer>
          <button type="button" class="outline" onClick={onClose}>
            Cancel
          </button>
          <Submit>Make new codes</Submit>
        </footer>
      </Form>
    </Dialog>
  )
}
