import { useEffect, useRef, useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { CodeField, sixDigits } from '../ui/code-field.js'
import { Form, type FormFields, Submit, TextField } from '../ui/form.js'
import { plural } from '../ui/format.js'
import { isRefused, reworded } from '../ui/problem.js'
import { say } from '../ui/say.js'
import { EmailCode } from './email-code.js'
import { Heading } from './heading.js'

/** A password was right, and is not enough. */
export interface PendingSignIn {
  readonly tempToken: string
  /** As the panel names them. */
  readonly methods: readonly string[]
}

interface SecondFactorProps {
  readonly pending: PendingSignIn
  readonly email: string
  readonly onSignedIn: () => Promise<void>
  /** The sign-in must begin again: it took too long, or the password has been changed. */
  readonly onEnded: () => void
  readonly onStartOver: () => void
}

const ways = {
  totp: { instead: 'Use the authenticator app', field: 'token' },
  email: { instead: 'Use a code by e-mail', field: 'emailCode' },
  'recovery-code': { instead: 'Use a recovery code', field: 'backupCode' },
} as const
type Way = keyof typeof ways

const refusals: Readonly<Record<Way, string>> = {
  totp: 'The code is wrong or has been used: wait for the next one',
  email: 'The code is wrong or has ended. After five wrong ones, have another sent',
  'recovery-code': 'The recovery code is wrong or has been used',
}

/** The code that is asked for after the password. */
export function SecondFactor({ pending, email, onSignedIn, onEnded, onStartOver }: SecondFactorProps) {
  const { tempToken, methods } = pending
  const offered = methods.filter(isWay)
  const [way, setWay] = useState<Way>(offered[0] ?? 'totp')
  const [sent, setSent] = useState(0)
  const container = useRef<HTMLDivElement>(null)
  // What is to be done next has the focus.
  useEffect(() => focusFirst(container.current), [way, sent])

  const verify = async (fields: FormFields) => {
    const { field } = ways[way]
    const code = way === 'recovery-code' ? fields.text(field) : sixDigits(fields, field)
    try {
      await unwrap(api.POST('/api/auth/2fa/verify-login', { body: { tempToken, [field]: code } }))
    } catch (error) {
      if (isRefused(error, 'invalid_temp_token')) return onEnded()
      throw reworded(
        error,
        { invalid_code: refusals[way], invalid_credentials: 'The account is suspended. Ask who runs the panel.' },
        isRefused(error, 'invalid_code') ? field : undefined,
      )
    }
    await onSignedIn()
    if (way === 'recovery-code') await sayHowManyAreLeft()
  }

  return (
    <div ref={container}>
      <Heading title="Two-factor authentication" />
      <Form key={way} onSubmit={verify} label="Two-factor authentication">
        {way === 'totp' && (
          <CodeField label="Code of your authenticator app" name="token" hint="Six digits, another every 30 seconds." />
        )}
        {way === 'email' && (
          <EmailCode
            tempToken={tempToken}
            email={email}
            sent={sent}
            onSent={() => setSent(sent + 1)}
            onEnded={onEnded}
          />
        )}
        {way === 'recovery-code' && (
          <TextField
            label="Recovery code"
            name="backupCode"
            hint="One of the ten that you kept when you set this up. Each works once."
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            maxLength={64}
            required
          />
        )}
        {way !== 'email' && (
          <div class="buttons">
            <Submit>Sign in</Submit>
          </div>
        )}
      </Form>
      <ul class="after">
        {offered
          .filter((other) => other !== way)
          .map((other) => (
            <li key={other}>
              <button type="button" class="link" onClick={() => setWay(other)}>
                {ways[other].instead}
              </button>
            </li>
          ))}
        <li>
          <button type="button" class="link" onClick={onStartOver}>
            Start over
          </button>
        </li>
      </ul>
      {way === 'recovery-code' && (
        <p class="text-light hint">No code left, and no app? Who runs the panel can take the second factor away.</p>
      )}
    </div>
  )
}

/** Who has used the last one should know before it is needed again. */
async function sayHowManyAreLeft(): Promise<void> {
  const left = await unwrap(api.GET('/api/auth/2fa')).catch(() => undefined)
  if (left) say(`That recovery code is used up. ${plural(left.recoveryCodesLeft, 'code')} left.`, 'info')
}

function focusFirst(container: HTMLElement | null): void {
  container?.querySelector<HTMLElement>('form :is(input, button)')?.focus()
}

function isWay(method: string): method is Way {
  return Object.hasOwn(ways, method)
}
