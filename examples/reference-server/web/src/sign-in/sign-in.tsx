import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { useSession } from '../session.js'
import { ForgottenPassword } from './forgotten-password.js'
import { NewPassword } from './new-password.js'
import { PasswordStep } from './password-step.js'
import { type PendingSignIn, SecondFactor } from './second-factor.js'

type Step = 'password' | 'forgotten' | PendingSignIn

/** What there is for who is not signed in, one step after another. */
export function SignIn() {
  const { reload } = useSession()
  const { path } = useLocation()
  const [step, setStep] = useState<Step>('password')
  const [email, setEmail] = useState('')
  /** Why one is at the beginning again. */
  const [notice, setNotice] = useState('')

  const begin = (why = '') => {
    setNotice(why)
    setStep('password')
  }
  return (
    <main class="entrance">
      <p class="brand">
        <img src="/assets/icon.svg" alt="" width="24" height="24" /> Sallyport
      </p>
      <div class="card">
        {path === '/reset-password' ? (
          <NewPassword />
        ) : step === 'password' ? (
          <PasswordStep
            email={email}
            setEmail={setEmail}
            notice={notice}
            onSecondFactor={setStep}
            onForgotten={() => setStep('forgotten')}
            onSignedIn={reload}
          />
        ) : step === 'forgotten' ? (
          <ForgottenPassword email={email} onBack={() => begin()} />
        ) : (
          <SecondFactor
            pending={step}
            email={email}
            onSignedIn={reload}
            onEnded={() =>
              begin('That sign-in has ended: it waits five minutes for the code. Enter the password again.')
            }
            onStartOver={() => begin()}
          />
        )}
      </div>
    </main>
  )
}
