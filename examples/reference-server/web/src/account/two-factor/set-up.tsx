import { api, unwrap } from '../../api.js'
import { CodeField, sixDigits } from '../../ui/code-field.js'
import { CopyBox } from '../../ui/copy.js'
import { Dialog } from '../../ui/dialog.js'
import { Form, Submit } from '../../ui/form.js'
import { useFresh } from '../../ui/fresh.js'
import { isRefused, reworded } from '../../ui/problem.js'
import { QrCode } from '../../ui/qr.js'

/** A new secret, in force once a code of it comes. */
export interface Setup {
  readonly secret: string
  readonly otpauth_url: string
}

interface SetUpProps {
  readonly setup: Setup
  /** It is on already, with another app. */
  readonly isMove: boolean
  readonly onCodes: (recoveryCodes: readonly string[]) => void
  readonly onClose: () => void
}

/** Shows the secret to an authenticator app and takes a code of it. */
export function SetUp({ setup, isMove, onCodes, onClose }: SetUpProps) {
  const { secret, otpauth_url: url } = setup
  const withFresh = useFresh()
  return (
    <Dialog title={isMove ? 'Move to another app' : 'Set up two-factor authentication'} onClose={onClose}>
      <Form
        onSubmit={async (fields) => {
          const token = sixDigits(fields, 'token')
          try {
            const { recoveryCodes } = await withFresh(() =>
              unwrap(api.POST('/api/auth/2fa/verify', { body: { token } })),
            )
            onCodes(recoveryCodes)
          } catch (error) {
            throw reworded(
              error,
              {
                invalid_code: "The code is wrong. Check that the device's clock is right, and take the next one",
                two_factor_setup_missing:
                  'This took more than 15 minutes, or was begun elsewhere too. Close it and begin again.',
              },
              isRefused(error, 'invalid_code') ? 'token' : undefined,
            )
          }
        }}
      >
        <div>
          <p>
            Scan this with an authenticator app, such as the one of your password manager.
            {isMove && ' The app that you use now ends when the new one is confirmed, and so do your recovery codes.'}
          </p>
          <div class="set-up">
            <QrCode text={url} label="QR code for the authenticator app" />
            <div>
              <p class="hint">On this device already?</p>
              <p>
                <a class="button outline small" href={url}>
                  Open the app
                </a>
              </p>
              <p class="hint">No camera? Type this key:</p>
            </div>
            <CopyBox text={secret} label="Key for the authenticator app" />
          </div>
          <CodeField
            label="Code that the app shows now"
            name="token"
            hint="Six digits. Nothing changes before it is right."
            autoFocus
          />
        </div>
        <footer>
          <button type="button" class="outline" onClick={onClose}>
            Cancel
          </button>
          <Submit>{isMove ? 'Move' : 'Turn on'}</Submit>
        </footer>
      </Form>
    </Dialog>
  )
}
