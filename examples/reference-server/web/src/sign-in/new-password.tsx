import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { Form, Submit } from '../ui/form.js'
import { NewPasswordField } from '../ui/password-field.js'
import { isRefused } from '../ui/problem.js'
import { ForgottenPassword } from './forgotten-password.js'
import { Heading } from './heading.js'

type Stage = 'choose' | 'refused' | 'another' | 'done'

/** Where the mail's link leads: `/reset-password#token=…`. */
export function NewPassword() {
  const { reload } = useSession()
  const { route } = useLocation()
  const [token, setToken] = useState(takeToken)
  const [stage, setStage] = useState<Stage>('choose')
  const container = useRef<HTMLDivElement>(null)
  // What is to be done next has the focus.
  useEffect(() => container.current?.querySelector<HTMLElement>('input, button')?.focus(), [stage, token])

  // A second mail's link, opened in the same tab, changes no more than the fragment.
  useEffect(() => {
    const take = () => {
      const another = takeToken()
      if (another === '') return
      setToken(another)
      setStage('choose')
    }
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [])

  const leave = async () => {
    // All sessions have ended, this browser's too.
    await reload()
    route('/', true)
  }

  if (stage === 'another') return <ForgottenPassword email="" onBack={leave} />
  return (
    <div ref={container}>
      <Heading title="Choose a new password" />
      {stage === 'done' ? (
        <>
          <p role="status">Your password is changed, and you are signed out everywhere.</p>
          <div class="buttons">
            <button type="button" onClick={leave}>
              Go to the sign-in
            </button>
          </div>
        </>
      ) : token === '' || stage === 'refused' ? (
        <>
          <div role="alert" data-variant="warning">
            {stage === 'refused'
              ? 'This link no longer works: it has been used, is too old, or a later one was sent.'
              : 'This link is not complete. Open it from the mail once more, or ask for another.'}
          </div>
          <div class="buttons">
            <button type="button" onClick={() => setStage('another')}>
              Ask for another link
            </button>
            <button type="button" class="outline" onClick={leave}>
              Go to the sign-in
            </button>
          </div>
        </>
      ) : (
        <Form
          label="Choose a new password"
          onSubmit={async (fields) => {
            try {
              const body = { token, password: fields.raw('password') }
              await unwrap(api.POST('/api/auth/password-reset/confirm', { body }))
            } catch (error) {
              if (!isRefused(error, 'invalid_credentials')) throw error
              return setStage('refused')
            }
            setToken('')
            setStage('done')
          }}
        >
          <NewPasswordField
            label="New password"
            name="password"
            hint="At least 8 characters. All your sessions end; a second factor stays on."
          />
          <div class="buttons">
            <Submit>Change the password</Submit>
          </div>
        </Form>
      )}
    </div>
  )
}

/** The token of the address, which is taken out of it: else it would stay in the browser's history. */
function takeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
  if (location.hash !== '') history.replaceState(null, '', location.pathname)
  return token
}
