import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Field } from './form.js'

interface PasswordFieldProps {
  readonly label: string
  readonly name: string
  readonly hint?: ComponentChildren
}

/** A password that is chosen: what is typed can be looked at, so that once is enough. */
export function NewPasswordField({ label, name, hint }: PasswordFieldProps) {
  const [isShown, setShown] = useState(false)
  const what = label.toLowerCase()
  return (
    <Field label={label} name={name} hint={hint}>
      {(control) => (
        <span class="with-button">
          <input
            {...({ ...control, type: isShown ? 'text' : 'password' } as object)}
            autocomplete="new-password"
            autocapitalize="off"
            spellcheck={false}
            required
          />
          <button
            type="button"
            class="outline"
            aria-label={isShown ? `Hide the ${what}` : `Show the ${what}`}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? 'Hide' : 'Show'}
          </button>
        </span>
      )}
    </Field>
  )
}

/** Says to password managers whose password it is. */
export function AccountName({ email }: { email: string }) {
  return <input type="text" name="username" autocomplete="username" value={email} readOnly hidden />
}
