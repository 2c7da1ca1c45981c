import { type ComponentChildren, createContext } from 'preact'
import { useContext, useId, useRef, useState } from 'preact/hooks'
import { PanelProblem, wordsOf } from '../api.js'
import { focusAgain } from './focus.js'
import { Refusal } from './refusal.js'

/** What the panel says of a field, by the field's name. */
const FieldErrors = createContext<Readonly<Record<string, string>>>({})
const Busy = createContext(false)

interface FormProps {
  /** Throws what is to be shown; its fields are marked. */
  readonly onSubmit: (fields: FormFields) => Promise<void>
  readonly children: ComponentChildren
  readonly class?: string
  readonly label?: string
}

/** The fields of a form that is sent. */
export interface FormFields {
  /** Trimmed; `''` when it is empty or not there. */
  text(name: string): string
  /** As it was typed, such as a password. */
  raw(name: string): string
  /** `undefined` when it is empty. */
  number(name: string): number | undefined
  checked(name: string): boolean
  /** Of checkboxes or a multiple select with one name. */
  all(name: string): string[]
  /** One per line or comma, trimmed, without empty ones. */
  lines(name: string): string[]
  readonly element: HTMLFormElement
}

/** A form that says what went wrong at its top and at its fields, and is not sent twice. */
export function Form({ onSubmit, children, class: className, label }: FormProps) {
  const [failure, setFailure] = useState<{ error: unknown; message: string; fields: Record<string, string> }>()
  const [busy, setBusy] = useState(false)
  const running = useRef(false)

  const submit = async (event: Event) => {
    event.preventDefault()
    if (running.current) return
    const form = event.currentTarget as HTMLFormElement
    const before = document.activeElement
    running.current = true
    setBusy(true)
    setFailure(undefined)
    try {
      await onSubmit(fieldsOf(form))
    } catch (error) {
      if (!isCancelled(error)) {
        const fields = fieldErrors(error)
        setFailure({ error, message: isMarked(form, fields) ? 'Check what is marked below.' : wordsOf(error), fields })
        requestAnimationFrame(() => focusFirstInvalid(form))
      }
    } finally {
      running.current = false
      setBusy(false)
      // A field that is shown anew, with what has been saved, is another.
      if (form.isConnected)
        requestAnimationFrame(() => focusAgain(before?.isConnected ? before : namesake(form, before)))
    }
  }

  return (
    <form class={className} aria-label={label} onSubmit={submit}>
      {failure && <Refusal error={failure.error} message={failure.message} />}
      <FieldErrors.Provider value={failure?.fields ?? {}}>
        <Busy.Provider value={busy}>{children}</Busy.Provider>
      </FieldErrors.Provider>
    </form>
  )
}

interface FieldProps {
  readonly label: string
  /** As in the API's body: what the panel says of it is shown here. */
  readonly name: string
  readonly hint?: ComponentChildren
  /** The control, given what belongs on it. */
  readonly children: (control: ControlProps) => ComponentChildren
}

export interface ControlProps {
  readonly id: string
  readonly name: string
  readonly 'aria-describedby'?: string
  readonly 'aria-invalid'?: 'true'
}

/** A labelled control with its hint and its error. */
export function Field({ label, name, hint, children }: FieldProps) {
  const id = useId()
  const error = useContext(FieldErrors)[name]
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div data-field={error ? 'error' : ''}>
      <label for={id}>{label}</label>
      {children({
        id,
        name,
        ...(described && { 'aria-describedby': described }),
        ...(error && { 'aria-invalid': 'true' as const }),
      })}
      {hint && (
        <div id={`${id}-hint`} data-hint>
          {hint}
        </div>
      )}
      {error && (
        <div id={`${id}-error`} class="error">
          {error}
        </div>
      )}
    </div>
  )
}

interface TextFieldProps extends Omit<FieldProps, 'children'> {
  readonly type?: 'text' | 'password' | 'email' | 'number' | 'search' | 'date'
  readonly value?: string | number | undefined
  readonly defaultValue?: string | number | undefined
  readonly onInput?: (event: InputEvent) => void
  readonly required?: boolean
  readonly readOnly?: boolean
  readonly autocomplete?: string
  readonly autoFocus?: boolean
  readonly autocapitalize?: string
  readonly spellcheck?: boolean
  readonly inputMode?: 'text' | 'numeric' | 'decimal' | 'email'
  readonly placeholder?: string | undefined
  readonly pattern?: string
  readonly title?: string
  readonly list?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly min?: number | string | undefined
  readonly max?: number | string | undefined
  readonly step?: number | 'any'
}

/** The most usual field: one line of text, a number, a password. */
export function TextField({ label, name, hint, type = 'text', ...input }: TextFieldProps) {
  return (
    <Field label={label} name={name} hint={hint}>
      {(control) => <input {...({ type, ...input, ...control } as object)} />}
    </Field>
  )
}

/** The button that sends the form. */
export function Submit({ children, variant }: { children: ComponentChildren; variant?: 'danger' }) {
  const busy = useContext(Busy)
  return (
    <button
      type="submit"
      // Not `disabled`: the focus would be lost.
      aria-disabled={busy || undefined}
      data-variant={variant}
      aria-busy={busy ? 'true' : undefined}
      data-spinner="small"
    >
      {children}
    </button>
  )
}

/** Thrown when a person thought better of it: nothing to show. */
export class Cancelled extends Error {}

export function isCancelled(error: unknown): boolean {
  return error instanceof Cancelled
}

function fieldsOf(element: HTMLFormElement): FormFields {
  const data = new FormData(element)
  const raw = (name: string) => String(data.get(name) ?? '')
  const text = (name: string) => raw(name).trim()
  return {
    element,
    raw,
    text,
    number: (name) => (text(name) === '' ? undefined : Number(text(name))),
    checked: (name) => data.has(name),
    all: (name) => data.getAll(name).map(String),
    lines: (name) =>
      raw(name)
        .split(/[\n,]/)
        .map((line) => line.trim())
        .filter((line) => line !== ''),
  }
}

/** Whether all that the panel says is said at the fields. */
function isMarked(form: HTMLFormElement, fields: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(fields)
  return names.length > 0 && names.every((name) => form.elements.namedItem(name) !== null)
}

/** `/options/maxConnections` is the field of that name. */
function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof PanelProblem)) return {}
  return Object.fromEntries(
    error.errors.map(({ path, message }) => [
      path
        .split('/')
        .filter((part) => part !== '' && !/^\d+$/.test(part))
        .at(-1) ?? path,
      sentence(message),
    ]),
  )
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function namesake(form: HTMLFormElement, gone: Element | null): Element | null {
  const name = gone?.getAttribute('name')
  return name ? form.querySelector(`[name="${CSS.escape(name)}"]`) : null
}

function focusFirstInvalid(form: HTMLFormElement): void {
  form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
}
