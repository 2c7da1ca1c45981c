import { useState } from 'preact/hooks'
import { CopyBox } from '../ui/copy.js'
import type { FormFields } from '../ui/form.js'
import { Option } from '../ui/option.js'
import { NewPasswordField } from '../ui/password-field.js'
import { ShownOnce } from '../ui/shown-once.js'
import { minPasswordLength } from './limits.js'

/** Without those that are taken for others; 32, so that each byte counts alike. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
const groups = 4
const groupLength = 5

/** A password for somebody else: made here or chosen. `passwordOf` reads it. */
export function PasswordChoice() {
  const [isChosen, setChosen] = useState(false)
  const option = (chosen: boolean, title: string, about: string) => (
    <Option
      type="radio"
      name="passwordFrom"
      value={chosen ? 'chosen' : 'generated'}
      title={title}
      about={about}
      checked={isChosen === chosen}
      onChange={() => setChosen(chosen)}
    />
  )
  return (
    <fieldset>
      <legend>Password</legend>
      {option(false, 'Generate one', 'You see it once, to pass it on.')}
      {option(true, 'Choose one', `${minPasswordLength} characters or more.`)}
      {isChosen && <NewPasswordField label="New password" name="password" />}
    </fieldset>
  )
}

/** What was chosen; `generated` is to be shown to whoever is to pass it on. */
export function passwordOf(fields: FormFields): { readonly password: string; readonly generated: boolean } {
  const generated = fields.text('passwordFrom') !== 'chosen'
  return { password: generated ? generatePassword() : fields.raw('password'), generated }
}

/** 100 bits. */
function generatePassword(): string {
  const letters = [...crypto.getRandomValues(new Uint8Array(groups * groupLength))].map((byte) => alphabet[byte & 31])
  return Array.from({ length: groups }, (_, group) =>
    letters.slice(group * groupLength, (group + 1) * groupLength).join(''),
  ).join('-')
}

export interface NewPassword {
  readonly email: string
  readonly password: string
}

/** A password that was made, the only time that it is there to be copied. */
export function PasswordShown({ email, password, onClose }: NewPassword & { onClose: () => void }) {
  return (
    <ShownOnce title="Password" confirm="I have passed it on or stored it" onClose={onClose}>
      <p>
        <strong>Copy it now. It is not shown again.</strong> Give it to <bdi>{email}</bdi> by a safe way, and ask them
        to change it after they have signed in.
      </p>
      <CopyBox text={password} label={`Password of ${email}`} />
    </ShownOnce>
  )
}
