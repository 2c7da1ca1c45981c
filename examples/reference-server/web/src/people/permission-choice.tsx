import { useState } from 'preact/hooks'
import { Field, type FormFields } from '../ui/form.js'
import { Option } from '../ui/option.js'
import { everything, type KnownPermission } from './permissions.js'

interface PermissionChoiceProps {
  /** What there is to choose from: nothing that the chooser does not hold. */
  readonly offered: readonly KnownPermission[]
  /** Whether `*` may be chosen. */
  readonly offersEverything?: boolean
  readonly value?: readonly string[]
  readonly hint?: string
}

/** Permissions, each with a word of explanation, and a field for those of plugins. `chosenPermissions` reads it. */
export function PermissionChoice({ offered, offersEverything = false, value = [], hint }: PermissionChoiceProps) {
  const [all, setAll] = useState(value.includes('*'))
  const known = new Set(['*', ...offered.map(({ name }) => name)])
  const others = value.filter((permission) => !known.has(permission))
  return (
    <fieldset class="permissions">
      <legend>Permissions</legend>
      {hint && <p class="text-light">{hint}</p>}
      {offersEverything && (
        <Option
          type="checkbox"
          name="everything"
          value={everything.name}
          title={words(everything)}
          about={everything.about}
          checked={all}
          onChange={setAll}
        />
      )}
      {/* Kept, so that what was chosen is there again; not sent. */}
      <div hidden={all}>
        {offered.map((permission) => (
          <Option
            key={permission.name}
            type="checkbox"
            name="known"
            value={permission.name}
            title={words(permission)}
            about={permission.about}
            defaultChecked={value.includes(permission.name)}
          />
        ))}
        <Field
          label="Other permissions"
          name="permissions"
          hint="Of plugins, one on each line, such as servers:read or servers:*"
        >
          {(control) => (
            <textarea {...control} rows={2} spellcheck={false} autocapitalize="off" defaultValue={others.join('\n')} />
          )}
        </Field>
      </div>
    </fieldset>
  )
}

function words({ name, title }: KnownPermission) {
  return (
    <>
      {title} <code>{name}</code>
    </>
  )
}

/** What was chosen in a `PermissionChoice`. */
export function chosenPermissions(fields: FormFields): string[] {
  if (fields.checked('everything')) return ['*']
  return [...new Set([...fields.all('known'), ...fields.lines('permissions')])]
}
