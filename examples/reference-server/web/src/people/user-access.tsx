import { useState } from 'preact/hooks'
import { Section } from '../ui/page.js'
import type { UserEditProps } from './change-user.js'
import { DeleteUser } from './delete-user.js'
import { type NewPassword, PasswordShown } from './password-choice.js'
import { SetPassword } from './set-password.js'
import { LiftSuspension, SuspendUser } from './suspend-user.js'
import { TurnOffTwoFactor } from './turn-off-two-factor.js'

type Asked = 'password' | 'two-factor' | 'suspend' | 'lift' | 'delete'

/** What lets somebody in, and what puts them out. */
export function UserAccess(props: UserEditProps) {
  const { user, isSelf } = props
  const [asked, setAsked] = useState<Asked>()
  const [shown, setShown] = useState<NewPassword>()
  const dialog = { ...props, onClose: () => setAsked(undefined) }
  const button = (what: Asked, words: string, danger = false) => (
    <button
      type="button"
      class="outline small"
      data-variant={danger ? 'danger' : undefined}
      onClick={() => setAsked(what)}
    >
      {words}
    </button>
  )
  return (
    <Section title="Access">
      <ul class="deeds">
        {isSelf ? (
          <li>
            <p>
              Your own password and two-factor authentication are under <a href="/account">Account and security</a>.
            </p>
          </li>
        ) : (
          <>
            <li>
              <p>For somebody who cannot get mail to choose a new one themselves. Their sessions end.</p>
              {button('password', 'Set password')}
            </li>
            <li>
              <p>For somebody who has lost their app and their recovery codes.</p>
              {button('two-factor', 'Turn off two-factor authentication')}
            </li>
          </>
        )}
        <li>
          {user.suspended ? (
            <>
              <p>Lets them sign in again.</p>
              {button('lift', 'Lift suspension')}
            </>
          ) : (
            <>
              <p>Puts them out at once and keeps them out, until it is lifted.</p>
              {button('suspend', 'Suspend', true)}
            </>
          )}
        </li>
        <li>
          <p>Removes them and what is theirs for good.</p>
          {button('delete', 'Delete user', true)}
        </li>
      </ul>
      {asked === 'password' && (
        <SetPassword {...dialog} onGenerated={(password) => setShown({ email: user.email, password })} />
      )}
      {asked === 'two-factor' && <TurnOffTwoFactor {...dialog} />}
      {asked === 'suspend' && <SuspendUser {...dialog} />}
      {asked === 'lift' && <LiftSuspension {...dialog} />}
      {asked === 'delete' && <DeleteUser {...dialog} />}
      {shown && <PasswordShown {...shown} onClose={() => setShown(undefined)} />}
    </Section>
  )
}
