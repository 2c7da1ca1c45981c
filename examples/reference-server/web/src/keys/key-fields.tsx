import type { ApiKeyEntry } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { maxNameLength } from '../people/limits.js'
import { chosenPermissions, PermissionChoice } from '../people/permission-choice.js'
import { type KnownPermission, knownPermissions, ownScopes } from '../people/permissions.js'
import { useSession } from '../session.js'
import { Field, type FormFields, TextField } from '../ui/form.js'
import { Option } from '../ui/option.js'

const dayMs = 86_400_000
const maxDays = 3_650
const choices = ['30', '90', '365'] as const

/** What a key's owner says of it; `keyFields` reads it. Without an entry: of a new one. */
export function KeyFields({ entry }: { entry?: ApiKeyEntry }) {
  const { may } = useSession()
  const [type, setType] = useState(entry?.type ?? 'client')
  return (
    <>
      <TextField
        label="Name"
        name="name"
        autocomplete="off"
        required
        maxLength={maxNameLength}
        defaultValue={entry?.name}
        hint={entry ? undefined : 'What it is for, such as “Backup script”'}
        autoFocus
      />
      {!entry && may('*') && <TypeChoice type={type} onChange={setType} />}
      {type === 'client' && (
        <PermissionChoice
          offered={offeredTo(may)}
          value={entry?.permissions ?? []}
          hint="Choose as little as it needs. A key never may do more than its owner."
        />
      )}
      <Lifetime key={entry?.id} {...(entry && { expiresAt: entry.expiresAt })} />
      <Field
        label="Allowed addresses"
        name="allowedIps"
        hint="One on each line, such as 192.0.2.7 or 2001:db8::/32. Left empty, it can be used from anywhere."
      >
        {(control) => (
          <textarea {...control} rows={2} spellcheck={false} defaultValue={entry?.allowedIps.join('\n') ?? ''} />
        )}
      </Field>
    </>
  )
}

function TypeChoice({ type, onChange }: { type: string; onChange: (type: 'client' | 'admin') => void }) {
  const option = (value: 'client' | 'admin', title: string, about: string) => (
    <Option
      type="radio"
      name="type"
      value={value}
      title={title}
      about={about}
      checked={type === value}
      onChange={() => onChange(value)}
    />
  )
  return (
    <fieldset>
      <legend>Type</legend>
      {option('client', 'Client', 'May do what you choose below.')}
      {option('admin', 'Administrator', 'May do everything on this panel, as long as you may.')}
    </fieldset>
  )
}

/** The choice of when a key ends; `expiryOf` reads it. */
function Lifetime({ expiresAt }: { expiresAt?: string | null }) {
  const isNew = expiresAt === undefined
  const [choice, setChoice] = useState(isNew ? '90' : 'keep')
  return (
    <div class="fields">
      <Field label="Expires" name="lifetime">
        {(control) => (
          <select {...control} value={choice} onChange={({ currentTarget }) => setChoice(currentTarget.value)}>
            {!isNew && (
              <option value="keep">{expiresAt === null ? 'Never, as now' : `On ${dayOf(expiresAt)}, as now`}</option>
            )}
            {choices.map((days) => (
              <option key={days} value={days}>
                {days === '365' ? 'In a year' : `In ${days} days`}
              </option>
            ))}
            <option value="date">On a date</option>
            {expiresAt !== null && <option value="never">Never</option>}
          </select>
        )}
      </Field>
      {choice === 'date' && (
        <TextField
          label="Last day"
          name="expiresAt"
          type="date"
          required
          min={isoDay(Date.now())}
          max={isoDay(Date.now() + (maxDays - 1) * dayMs)}
        />
      )}
    </div>
  )
}

/** The body of a request, as far as the form says it. `expiresAt: null` is never. */
export function keyFields(fields: FormFields) {
  const expiresAt = expiryOf(fields)
  return {
    name: fields.text('name'),
    allowedIps: fields.lines('allowedIps'),
    permissions: chosenPermissions(fields),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

function expiryOf(fields: FormFields): string | null | undefined {
  const choice = fields.text('lifetime')
  if (choice === 'keep') return undefined
  if (choice === 'never') return null
  // To the end of the day where the person is.
  if (choice === 'date') return new Date(`${fields.text('expiresAt')}T23:59:59`).toISOString()
  return new Date(Date.now() + Number(choice) * dayMs).toISOString()
}

/** Nobody gives what they do not hold, but for their own tunnels. */
function offeredTo(may: (permission: string) => boolean): KnownPermission[] {
  const held = knownPermissions.filter(({ name }) => may(name))
  const own = ownScopes.filter(({ name }) => !may(name))
  return [...own, ...held]
}

/** `2026-03-01`, where the person is. */
function isoDay(time: number): string {
  const date = new Date(time)
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
}

function dayOf(iso: string): string {
  return new Date(iso).toLocaleDateString('en', { dateStyle: 'medium' })
}
