import { useState } from 'preact/hooks'
import { useUser } from '../session.js'
import { Section } from '../ui/page.js'
import { ChangePassword } from './change-password.js'

/** @param onPasswordChanged all other sessions have ended */
export function Profile({ onPasswordChanged }: { onPasswordChanged: () => unknown }) {
  const { name, email } = useUser()
  const [isChanging, setChanging] = useState(false)
  return (
    <Section
      title="Profile"
      actions={
        <button type="button" class="outline small" onClick={() => setChanging(true)}>
          Change password
        </button>
      }
    >
      <dl class="profile">
        <div>
          <dt>Name</dt>
          <dd>{name ? <bdi>{name}</bdi> : <span class="text-light">None given</span>}</dd>
        </div>
        <div>
          <dt>E-mail</dt>
          <dd>
            <bdi>{email}</bdi>
          </dd>
        </div>
      </dl>
      {isChanging && <ChangePassword onChanged={onPasswordChanged} onClose={() => setChanging(false)} />}
    </Section>
  )
}
