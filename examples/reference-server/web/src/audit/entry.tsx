import type { AuditEntry } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { Badge } from '../ui/badge.js'
import { Time } from '../ui/format.js'
import { actionInWords, isWarning } from './action-words.js'
import { Actor } from './actor.js'
import type { AuditFilter } from './log.js'
import type { Names } from './names.js'
import { Subject } from './subject.js'

interface EntryProps {
  readonly entry: AuditEntry
  readonly names: Names
  readonly onFilter: (change: AuditFilter) => void
}

/** One thing that was done: what, to what, by whom, when and from where. */
export function AuditEntryItem({ entry, names, onFilter }: EntryProps) {
  const { action, at, ip } = entry
  const [isOpen, setOpen] = useState(false)
  const title = actionInWords(action)
  return (
    <li>
      <p>
        <strong>{title}</strong>
        <Subject entry={entry} names={names} />
        {isWarning(action) && <Badge variant="warning">Refused</Badge>}
      </p>
      <p class="text-light audit-who">
        <Actor entry={entry} names={names} />
        <Time at={at} />
        {ip !== null && <span>from {ip}</span>}
      </p>
      <details onToggle={({ currentTarget }) => setOpen((currentTarget as HTMLDetailsElement).open)}>
        <summary>
          <span>
            Details<span class="visually-hidden"> of: {title}</span>
          </span>
        </summary>
        {/* Only then: of a long list it would be a lot. */}
        {isOpen && <Details entry={entry} onFilter={onFilter} />}
      </details>
    </li>
  )
}

function Details({ entry, onFilter }: Omit<EntryProps, 'names'>) {
  const { action, actor, target, at } = entry
  return (
    <div>
      <dl class="particulars">
        <dt>Time</dt>
        <dd>{new Date(at).toLocaleString('en', { dateStyle: 'long', timeStyle: 'long' })}</dd>
        <dt>Action</dt>
        <dd>
          <code>{action}</code>
        </dd>
      </dl>
      <p class="hstack">
        {actor && actor.kind !== 'system' && (
          <button type="button" class="outline small" onClick={() => onFilter({ actor: actor.id })}>
            Only what they did
          </button>
        )}
        {target && (
          <button type="button" class="outline small" onClick={() => onFilter({ target: target.id })}>
            Only what was done to it
          </button>
        )}
        <button type="button" class="outline small" onClick={() => onFilter({ action })}>
          Only this action
        </button>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and whoever uses keys must be able to */}
      <section tabIndex={0} aria-label={`Raw data of entry ${entry.id}`}>
        <pre>
          <code>{JSON.stringify(entry, null, 2)}</code>
        </pre>
      </section>
    </div>
  )
}
