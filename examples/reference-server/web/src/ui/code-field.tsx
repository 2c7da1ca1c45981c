import type { ComponentChildren } from 'preact'
import { type FormFields, TextField } from './form.js'
import { invalid } from './problem.js'

interface CodeFieldProps {
  readonly label: string
  readonly name: string
  readonly hint?: ComponentChildren
  readonly autoFocus?: boolean
}

/** A code of six digits: phones show the keys for it, and offer the one that has just come. */
export function CodeField(props: CodeFieldProps) {
  return (
    <TextField
      {...props}
      inputMode="numeric"
      autocomplete="one-time-code"
      autocapitalize="off"
      spellcheck={false}
      required
    />
  )
}

/** A code of six digits as people type and paste it. */
export function sixDigits(fields: FormFields, name: string): string {
  const code = fields.text(name).replace(/[\s-]/g, '')
  if (!/^\d{6}$/.test(code)) throw invalid(name, 'A code has six digits')
  return code
}
