import { useRef, useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useUser } from '../session.js'
import { CodeField, sixDigits } from './code-field.js'
import { FormDialog } from './dialog.js'
import { type FormFields, TextField } from './form.js'
import { askForPasskey, canUsePasskeys } from './passkey.js'
import { AccountName } from './password-field.js'
import { isRefused, reworded } from './problem.js'
import type { Way } from './ways.js'

interface ReauthenticateProps {
  /** The first is offered first. */
  readonly ways: readonly Way[]
  readonly onProved: () => void
  readonly onCancelled: () => void
}

const instead: Readonly<Record<Way, string>> = {
  password: 'Use the password',
  code: 'Use a code',
  passkey: 'Use a passkey',
}

/** Asks for a proof of who is at the page. */
export function Reauthenticate({ ways: given, onProved, onCancelled }: ReauthenticateProps) {
  const { email } = useUser()
  const [ways, setWays] = useState(given)
  const [way, setWay] = useState<Way>(given[0] ?? 'password')
  const proved = useRef(false)

  const prove = async (fields: FormFields) => {
    const body = await proof(way, fields)
    try {
      await unwrap(api.POST('/api/auth/reauthenticate', { body }))
    } catch (error) {
      if (isRefused(error, 'second_factor_required')) {
        // It was turned on since: the password was right, and is not enough.
        setWays(canUsePasskeys() ? ['code', 'passkey'] : ['code'])
        setWay('code')
        throw new Error('The password alone is not enough here: use your second factor.')
      }
      throw reworded(error, refusals(way), field[way])
    }
    proved.current = true
  }

  /** A passkey is asked for at once: the browser's own dialog says the rest. */
  const choose = (next: Way, form: HTMLFormElement | null) => {
    setWay(next)
    requestAnimationFrame(() => {
      if (next === 'passkey') form?.requestSubmit()
      else form?.querySelector<HTMLElement>('input:not([hidden])')?.focus()
    })
  }

  return (
    <FormDialog
      title="Confirm that it is you"
      submit={way === 'passkey' ? 'Use a passkey' : 'Confirm'}
      onSubmit={prove}
      onClose={() => (proved.current ? onProved() : onCancelled())}
    >
      <p>What you are about to do touches the safety of your account. You are asked once in ten minutes.</p>
      <ProofField key={way} way={way} email={email} />
      {ways.length > 1 && (
        <p class="hstack">
          {ways
            .filter((other) => other !== way)
            .map((other) => (
              <button
                key={other}
                type="button"
                class="outline small"
                onClick={({ currentTarget }) => choose(other, currentTarget.form)}
              >
                {instead[other]}
              </button>
            ))}
        </p>
      )}
    </FormDialog>
  )
}

function ProofField({ way, email }: { way: Way; email: string }) {
  if (way === 'passkey') return null
  if (way === 'code') return <CodeField label="Code of your authenticator app" name="token" autoFocus />
  return (
    <>
      <AccountName email={email} />
      <TextField label="Password" name="password" type="password" autocomplete="current-password" required autoFocus />
    </>
  )
}

const field: Readonly<Record<Way, string | undefined>> = { password: 'password', code: 'token', passkey: undefined }

async function proof(way: Way, fields: FormFields) {
  if (way === 'passkey') return { response: { ...(await askForPasskey()) } }
  if (way === 'code') return { token: sixDigits(fields, 'token') }
  return { password: fields.raw('password') }
}

function refusals(way: Way): Record<string, string> {
  if (way === 'password') return { invalid_credentials: 'The password is wrong' }
  if (way === 'code') return { invalid_credentials: 'The code is wrong or has been used: wait for the next one' }
  return {
    invalid_credentials: 'That is the passkey of another account.',
    passkey_refused: 'The passkey was not accepted. It may have been removed from the account.',
  }
}
