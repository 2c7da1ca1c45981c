import { browserSupportsWebAuthnAutofill, startAuthentication, WebAuthnAbortService } from '@simplewebauthn/browser'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { askForPasskey, canUsePasskeys, type PasskeyAssertion, passkeyChallenge, toAssertion } from '../ui/passkey.js'
import { isRefused, reworded } from '../ui/problem.js'

/** Signing in by a passkey. */
export interface PasskeySignIn {
  /** Whether browser and panel have passkeys. */
  readonly isOffered: boolean
  /** Why the last one was refused, or none was given to the button. */
  readonly error: unknown
  /** Asks for one. Never throws. */
  ask(): Promise<void>
  /** The browser offers none while a password is looked at. */
  pause(): void
  resume(): void
}

/** A challenge is renewed when this part of its time is over: who chooses a passkey has the rest to confirm it. */
const renewAt = 0.8

/** Has the browser offer passkeys beside its passwords for as long as the sign-in is shown; nobody who ignores that is told of an error. */
export function usePasskeySignIn(onSignedIn: () => Promise<void>): PasskeySignIn {
  const [isOffered, setOffered] = useState(canUsePasskeys)
  const [error, setError] = useState<unknown>()
  const [isPaused, setPaused] = useState(false)
  const [turn, setTurn] = useState(0)
  const signedIn = useRef(onSignedIn)
  signedIn.current = onSignedIn

  const send = useCallback(async (response: PasskeyAssertion) => {
    try {
      await unwrap(api.POST('/api/auth/passkey/authenticate', { body: { response } }))
      await signedIn.current()
    } catch (failure) {
      setError(
        reworded(failure, {
          passkey_refused:
            'The passkey was not accepted: it has been removed here, or took too long. Try again, or use the password.',
          invalid_credentials: 'The account is suspended. Ask who runs the panel.',
        }),
      )
    }
  }, [])

  // Each turn has a challenge of its own.
  useEffect(() => {
    if (isPaused || !canUsePasskeys()) return
    let isOver = false
    let endsAt = Number.POSITIVE_INFINITY
    let timer: ReturnType<typeof setTimeout> | undefined
    const renew = () => setTurn((before) => before + 1)
    // While a computer sleeps its timers stand still.
    const renewIfEnded = () => {
      if (document.visibilityState === 'visible' && Date.now() > endsAt) renew()
    }
    document.addEventListener('visibilitychange', renewIfEnded)
    const offer = async () => {
      const optionsJSON = await passkeyChallenge()
      if (isOver || !(await browserSupportsWebAuthnAutofill()) || isOver) return
      const ms = optionsJSON.timeout * renewAt
      endsAt = Date.now() + ms
      timer = setTimeout(renew, ms)
      const response = await startAuthentication({ optionsJSON, useBrowserAutofill: true })
      endsAt = Number.POSITIVE_INFINITY
      clearTimeout(timer)
      if (!isOver) await send(toAssertion(response))
    }
    offer().catch((failure) => {
      if (isRefused(failure, 'not_found')) setOffered(false)
    })
    return () => {
      isOver = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', renewIfEnded)
      WebAuthnAbortService.cancelCeremony()
    }
  }, [isPaused, turn, send])

  const pause = useCallback(() => {
    setError(undefined)
    setPaused(true)
    WebAuthnAbortService.cancelCeremony()
  }, [])
  const resume = useCallback(() => setPaused(false), [])
  const ask = useCallback(async () => {
    pause()
    try {
      await send(await askForPasskey())
    } catch (failure) {
      setError(failure)
    } finally {
      resume()
    }
  }, [pause, resume, send])
  return { isOffered, error, ask, pause, resume }
}
