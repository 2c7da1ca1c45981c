import { useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { CodeField } from '../ui/code-field.js'
import { Submit } from '../ui/form.js'
import { isRefused } from '../ui/problem.js'
import { Refusal, useSecondsLeft } from '../ui/refusal.js'

interface EmailCodeProps {
  readonly tempToken: string
  readonly email: string
  /** How many have been sent for this sign-in. */
  readonly sent: number
  readonly onSent: () => void
  /** The sign-in must begin again. */
  readonly onEnded: () => void
}

/** A mail takes some seconds: who asks again at once gets two, and the first one no longer works. */
const waitSeconds = 30

/** Has a code sent by mail and asks for it. */
export function EmailCode({ tempToken, email, sent, onSent, onEnded }: EmailCodeProps) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const left = useSecondsLeft(sent === 0 ? 0 : waitSeconds, sent)

  const send = async () => {
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      await unwrap(api.POST('/api/auth/2fa/send-email', { body: { tempToken } }))
      onSent()
    } catch (failure) {
      if (isRefused(failure, 'invalid_temp_token')) return onEnded()
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const isWaiting = sent > 0 && left > 0
  const address = <strong class="address">{email}</strong>
  return (
    <>
      {error !== undefined && <Refusal error={error} />}
      <p role="status" class="hint">
        {sent === 0 ? (
          <>The code goes to {address}.</>
        ) : (
          <>
            {sent === 1 ? 'A code' : 'Another code'} is on its way to {address}. It works for five minutes
            {sent > 1 && '; earlier ones have ended'}.
          </>
        )}
      </p>
      {sent > 0 && <CodeField label="Code from the e-mail" name="emailCode" />}
      <div class="buttons">
        {sent > 0 && <Submit>Sign in</Submit>}
        <button
          type="button"
          class={sent === 0 ? '' : 'outline'}
          disabled={isWaiting}
          aria-disabled={busy || undefined}
          onClick={send}
        >
          {sent === 0 ? 'Send a code' : 'Send another'}
          {isWaiting && <span class="clock">({left} s)</span>}
        </button>
      </div>
    </>
  )
}
