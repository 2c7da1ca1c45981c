import { useEffect, useRef, useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { Form, type FormFields, Submit, TextField } from '../ui/form.js'
import { reworded } from '../ui/problem.js'
import { Refusal } from '../ui/refusal.js'
import { Heading } from './heading.js'
import type { PendingSignIn } from './second-factor.js'
import { usePasskeySignIn } from './use-passkey-sign-in.js'

interface PasswordStepProps {
  readonly email: string
  readonly setEmail: (email: string) => void
  readonly notice: string
  readonly onSecondFactor: (pending: PendingSignIn) => void
  readonly onForgotten: () => void
  readonly onSignedIn: () => Promise<void>
}

/** E-mail and password, or a passkey: that of the button, or one that the browser offers at the e-mail's field. */
export function PasswordStep({ email, setEmail, notice, onSecondFactor, onForgotten, onSignedIn }: PasswordStepProps) {
  const passkey = usePasskeySignIn(onSignedIn)
  const [busy, setBusy] = useState(false)
  const container = useRef<HTMLDivElement>(null)
  useEffect(() => {
    container.current?.querySelector<HTMLElement>(email === '' ? '[name=email]' : '[name=password]')?.focus()
    // Once, when the step is shown.
  }, [])

  const signIn = async (fields: FormFields) => {
    passkey.pause()
    const address = fields.text('email')
    setEmail(address)
    try {
      const body = { email: address, password: fields.raw('password') }
      const answer = await unwrap(api.POST('/api/auth/login', { body }))
      if ('twoFactorRequired' in answer) onSecondFactor({ tempToken: answer.tempToken, methods: answer.methods })
      else await onSignedIn()
    } catch (error) {
      passkey.resume()
      throw reworded(error, {
        invalid_credentials: 'E-mail and password do not match, or the account is suspended.',
      })
    }
  }
  const withPasskey = async () => {
    if (busy) return
    setBusy(true)
    await passkey.ask()
    setBusy(false)
  }

  return (
    <div ref={container}>
      <Heading title="Sign in" />
      {notice && (
        <p role="status" class="notice">
          {notice}
        </p>
      )}
      {passkey.error !== undefined && <Refusal error={passkey.error} />}
      <Form onSubmit={signIn} label="Sign in">
        <TextField
          label="E-mail"
          name="email"
          type="email"
          defaultValue={email}
          autocomplete="username webauthn"
          autocapitalize="off"
          spellcheck={false}
          required
        />
        <TextField label="Password" name="password" type="password" autocomplete="current-password" required />
        <div class="buttons">
          <Submit>Sign in</Submit>
          {passkey.isOffered && (
            <button type="button" class="outline" aria-disabled={busy || undefined} onClick={withPasskey}>
              Sign in with a passkey
            </button>
          )}
        </div>
      </Form>
      <p class="after">
        <button type="button" class="link" onClick={onForgotten}>
          Forgotten the password?
        </button>
      </p>
    </div>
  )
}
