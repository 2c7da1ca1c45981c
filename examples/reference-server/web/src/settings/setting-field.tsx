import { useId } from 'preact/hooks'
import { Field, type FormFields, TextField } from '../ui/form.js'
import { invalid } from '../ui/problem.js'
import { choicesOf, type FieldSchema } from './schema.js'

interface SettingFieldProps {
  readonly name: string
  readonly label: string
  readonly about: string | undefined
  readonly value: unknown
  readonly schema: FieldSchema | undefined
}

/** The control for a value of this type. */
export function SettingField({ name, label, about, value, schema }: SettingFieldProps) {
  const byDefault = schema?.default === undefined ? undefined : `Default: ${show(schema.default)}.`
  const hint = [about, byDefault].filter(Boolean).join(' ') || undefined
  const choices = choicesOf(schema)
  switch (kindOf(value, schema)) {
    case 'boolean':
      return <Switch name={name} label={label} hint={hint} isOn={value === true} />
    case 'number':
      return (
        <TextField
          label={label}
          name={name}
          hint={hint}
          type="number"
          inputMode="decimal"
          required
          step={schema?.type === 'number' ? 'any' : 1}
          min={schema?.minimum}
          max={schema?.maximum}
          defaultValue={String(value ?? '')}
        />
      )
    case 'string':
      if (!choices) return <TextField label={label} name={name} hint={hint} defaultValue={String(value ?? '')} />
      return (
        <Field label={label} name={name} hint={hint}>
          {(control) => (
            <select {...control} defaultValue={String(value)}>
              {choices.map((choice) => (
                <option key={choice} value={choice} selected={choice === value}>
                  {choice}
                </option>
              ))}
            </select>
          )}
        </Field>
      )
    case 'lines':
      return (
        <Field label={label} name={name} hint={[hint, 'One on each line.'].filter(Boolean).join(' ')}>
          {(control) => (
            <textarea {...control} rows={4} spellcheck={false} defaultValue={(value as readonly string[]).join('\n')} />
          )}
        </Field>
      )
    case 'json':
      return (
        <Field label={label} name={name} hint={[hint, 'As JSON.'].filter(Boolean).join(' ')}>
          {(control) => (
            <textarea
              {...control}
              class="json"
              rows={6}
              spellcheck={false}
              defaultValue={JSON.stringify(value, null, 2)}
            />
          )}
        </Field>
      )
  }
}

function Switch({ name, label, hint, isOn }: { name: string; label: string; hint: string | undefined; isOn: boolean }) {
  const id = useId()
  return (
    <div class="flag">
      <input
        id={id}
        type="checkbox"
        // biome-ignore lint/a11y/useAriaPropsForRole: a checkbox has its state
        role="switch"
        name={name}
        defaultChecked={isOn}
        aria-describedby={hint && `${id}-hint`}
      />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p id={`${id}-hint`} class="text-light">
            {hint}
          </p>
        )}
      </div>
    </div>
  )
}

/** What stands in the form for a field. */
export function readSetting(form: FormFields, name: string, value: unknown, schema: FieldSchema | undefined): unknown {
  switch (kindOf(value, schema)) {
    case 'boolean':
      return form.checked(name)
    case 'number':
      return form.number(name)
    case 'string':
      return form.raw(name) === '' && value === undefined ? undefined : form.raw(name)
    case 'lines':
      return form
        .raw(name)
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
    case 'json':
      if (form.text(name) === '') return undefined
      try {
        return JSON.parse(form.raw(name))
      } catch {
        throw invalid(name, 'This is no JSON.')
      }
  }
}

function kindOf(value: unknown, schema: FieldSchema | undefined): 'boolean' | 'number' | 'string' | 'lines' | 'json' {
  if (typeof value === 'boolean' || schema?.type === 'boolean') return 'boolean'
  if (typeof value === 'number' || schema?.type === 'number' || schema?.type === 'integer') return 'number'
  if (typeof value === 'string' || schema?.type === 'string') return 'string'
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? 'lines' : 'json'
}

/** A value in words. */
export function show(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'number') return value.toLocaleString('en')
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
