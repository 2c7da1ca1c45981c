import type { AuditEntry } from '@sallyport/relay/client'
import { useSession } from '../session.js'
import { isKnownAction } from './action-words.js'
import { flattened, isObject, numberIn, textIn } from './data.js'
import type { Names } from './names.js'

const maxLength = 200
const kinds: Readonly<Record<string, string>> = {
  apiKey: 'API key',
  'api-key': 'API key',
  allocation: 'Tunnel',
}

/** What it was done to, and the most telling of its data. */
export function Subject({ entry, names }: { entry: AuditEntry; names: Names }) {
  const { user, may } = useSession()
  const { action, actor, target, data } = entry
  const more = moreOf(entry, names)
  // That somebody did something to themselves is in the words.
  const isNamed = target !== null && target.type !== 'session' && actor?.id !== target.id
  if (!isNamed) return more === undefined ? null : <span>{more}</span>
  const { type, id } = target
  const kind = isKnownAction(action) ? '' : `${kindOf(type)} `
  if (type === 'user') {
    const email = names.emails.get(id)
    const shown = id === user?.id ? 'you' : (email ?? textIn(data, 'email') ?? shortId(id))
    return (
      <span>
        {kind}
        {email !== undefined && may('users:read') ? <a href={`/users/${id}`}>{shown}</a> : shown}
        {more !== undefined && `: ${more}`}
      </span>
    )
  }
  const name =
    names.organisations.get(id) ?? textIn(data, 'name') ?? (type === 'allocation' ? tunnel(entry) : shortId(id))
  return (
    <span>
      {kind}
      {names.organisations.has(id) ? (
        <a href={`/organisations/${id}`}>
          <bdi>{name}</bdi>
        </a>
      ) : (
        <bdi>{name}</bdi>
      )}
      {more !== undefined && `: ${more}`}
    </span>
  )
}

function moreOf({ action, data }: AuditEntry, { emails }: Names): string | undefined {
  if (action === 'settings.changed' && isObject(data)) return clipped(flattened(data['change']))
  if (action === 'user.changed' && isObject(data)) return clipped(Object.keys(data).map(fieldInWords).join(', '))
  if (!action.startsWith('organisation.member-')) return undefined
  const userId = textIn(data, 'userId')
  const role = textIn(data, 'role')
  if (userId === undefined) return undefined
  return `${emails.get(userId) ?? shortId(userId)}${role === undefined ? '' : ` as ${role}`}`
}

function fieldInWords(name: string): string {
  if (name === 'passwordChanged') return 'password'
  if (name === 'suspended') return 'suspension'
  return name === 'email' ? 'e-mail' : name
}

function tunnel({ target, data }: AuditEntry): string {
  const port = numberIn(data, 'port')
  return port === undefined ? `number ${target?.id}` : `port ${port} (${textIn(data, 'protocol') ?? ''})`
}

function clipped(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

/** With a capital: it begins a text. */
export function kindOf(kind: string): string {
  const spaced = kind.replaceAll('-', ' ')
  return kinds[kind] ?? spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

export function shortId(id: string): string {
  return id.length > 12 ? `${id.slice(0, 8)}…` : id
}
