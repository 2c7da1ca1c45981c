import type { AuditEntry } from '@sallyport/relay/client'
import { useSession } from '../session.js'
import { textIn } from './data.js'
import type { Names } from './names.js'
import { kindOf, shortId } from './subject.js'

/** Who did it. */
export function Actor({ entry: { action, actor, data }, names }: { entry: AuditEntry; names: Names }) {
  const { user, may } = useSession()
  // Whoever signs in is nobody until they have.
  const id = actor?.id ?? (action === 'session.created' ? textIn(data, 'userId') : undefined)
  if (id === undefined) {
    const email = textIn(data, 'email')
    return <span>{email === undefined ? 'Somebody' : `Somebody as ${email}`}</span>
  }
  if (actor?.kind === 'system') return <span>The panel itself</span>
  const name = actor?.name ?? names.emails.get(id) ?? textIn(data, 'email') ?? shortId(id)
  if (actor && actor.kind !== 'user') {
    return (
      <span>
        {kindOf(actor.kind)} <bdi>{name}</bdi>
      </span>
    )
  }
  const shown = id === user?.id ? 'You' : <bdi>{name}</bdi>
  return may('users:read') && names.emails.has(id) ? <a href={`/users/${id}`}>{shown}</a> : <span>{shown}</span>
}
