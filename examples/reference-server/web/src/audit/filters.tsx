import { useEffect, useId, useRef } from 'preact/hooks'
import { focusAgain } from '../ui/focus.js'
import { Form, type FormFields, Submit, TextField } from '../ui/form.js'
import { knownActions } from './action-words.js'
import type { AuditFilter } from './log.js'

interface AuditFiltersProps {
  readonly filter: AuditFilter
  /** Of users by their ids. */
  readonly emails: ReadonlyMap<string, string>
  readonly onFilter: (change: AuditFilter) => void
}

/** Who, what and to what. People are named by e-mail address where that is known. */
export function AuditFilters({ filter, emails, onFilter }: AuditFiltersProps) {
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const isFirst = useRef(true)
  const { action, actor, target } = filter
  // Another filter is shown in the same fields, so that the focus stays; names that come later change nothing that is typed.
  useEffect(() => {
    if (!isFirst.current) {
      box.current?.closest('form')?.reset()
      focusAgain(null)
    }
    isFirst.current = false
  }, [action, actor, target])
  const shown = (value = '') => emails.get(value) ?? value
  const idOf = (text: string) =>
    [...emails].find(([, email]) => email.toLowerCase() === text.toLowerCase())?.[0] ?? text
  const submit = async (fields: FormFields) => {
    const text = fields.text('action')
    const action = knownActions.find(([, title]) => title.toLowerCase() === text.toLowerCase())?.[0] ?? text
    onFilter({ action, actor: idOf(fields.text('actor')), target: idOf(fields.text('target')) })
  }
  const isFiltered = Object.values(filter).some((value) => value !== '')
  return (
    <Form onSubmit={submit} label="Filter the audit log">
      <div class="fields" ref={box}>
        <TextField
          label="Action"
          name="action"
          list={`${id}-actions`}
          autocomplete="off"
          defaultValue={action ?? ''}
          hint="Such as user.created"
        />
        <TextField
          label="Who did it"
          name="actor"
          list={`${id}-people`}
          autocomplete="off"
          defaultValue={shown(actor)}
          hint={emails.size > 1 ? 'E-mail address, or ID' : 'ID'}
        />
        <TextField
          label="What it was done to"
          name="target"
          list={`${id}-people`}
          autocomplete="off"
          defaultValue={shown(target)}
          hint={emails.size > 1 ? 'E-mail address, or ID' : 'ID'}
        />
      </div>
      <datalist id={`${id}-actions`}>
        {knownActions.map(([action, title]) => (
          <option key={action} value={action}>
            {title}
          </option>
        ))}
      </datalist>
      <datalist id={`${id}-people`}>
        {[...emails.values()].map((email) => (
          <option key={email} value={email} />
        ))}
      </datalist>
      <div class="hstack">
        <Submit>Apply</Submit>
        {isFiltered && (
          <button type="button" class="outline" onClick={() => onFilter({ action: '', actor: '', target: '' })}>
            Show everything
          </button>
        )}
      </div>
    </Form>
  )
}
