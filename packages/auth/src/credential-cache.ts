import { type Disposer, defineEvent, type Events, type EventToken } from '@sallyport/core'
import { LRUCache } from 'lru-cache'

/** What was read of a credential that is in force. */
export interface KnownCredential<T> {
  readonly value: T
  /** Of the session or key. */
  readonly id: string
  readonly userId: string
  /** When it ends by itself. */
  readonly expiresAt: Date | null
  /** Other credentials and users with which it ends or changes. */
  readonly dependsOn?: { readonly ids: readonly string[]; readonly userIds: readonly string[] }
}

/** Which credentials have ended or changed: by their ids, or all of a user. */
export interface EndedCredentials {
  readonly ids?: readonly string[]
  readonly userId?: string
}

/**
 * Keeps for a moment what the database says of credentials that are in use, so that not every request asks it. What ends
 * is forgotten at once, on every instance, by an event that is sent before the ending is answered. While events of other
 * instances do not arrive nothing is kept, and nothing ever longer than `maxAgeMs`: a cache may be slow, but not wrong.
 */
export interface CredentialCache<T> {
  /**
   * @param credential as the client sent it, whole: two are never taken for one
   * @param read asks the database; what it does not know is not kept
   */
  get(credential: string, read: () => Promise<KnownCredential<T> | undefined>): Promise<T | undefined>
  /** What `get` would give without having to read it. */
  peek(credential: string): T | undefined
  /** Forgets on every instance; resolves when the others have been told. */
  end(ended: EndedCredentials): Promise<void>
  readonly close: Disposer
}

interface CredentialCacheOptions {
  readonly events: Events
  /** Unique, such as `auth.sessions`. */
  readonly name: string
  readonly maxAgeMs?: number
  readonly maxEntries?: number
  readonly clock?: Clock
}

/** What the time is, in milliseconds. */
interface Clock {
  /** Of the calendar, by which credentials expire. */
  date(): number
  /** One that does not go back, by which age is told. */
  steady(): number
}

const systemClock: Clock = { date: () => Date.now(), steady: () => performance.now() }

const defaultMaxAgeMs = 1_000
const defaultMaxEntries = 20_000

export function createCredentialCache<T>(options: CredentialCacheOptions): CredentialCache<T> {
  const { events, name, maxAgeMs = defaultMaxAgeMs, maxEntries = defaultMaxEntries, clock = systemClock } = options
  const ended: EventToken<EndedCredentials> = defineEvent(`${name}.ended`)
  const known = new LRUCache<string, Entry<T>>({ max: maxEntries })
  /** Reads under way that no ending has overtaken; no more than there are requests. */
  const reading = new Map<string, Promise<KnownCredential<T> | undefined>>()

  const forget = ({ ids, userId }: EndedCredentials): void => {
    // Whatever they read may be from before the ending.
    reading.clear()
    for (const [credential, { found }] of known.entries()) {
      if (isAffected(found, ids, userId)) known.delete(credential)
    }
  }
  const stops = [
    events.on(ended, forget),
    events.onResync(() => {
      reading.clear()
      known.clear()
    }),
  ]

  const find = (credential: string): KnownCredential<T> | undefined => {
    // What was read before the others went out of reach may have ended since.
    if (!events.connected) return undefined
    const entry = known.get(credential)
    if (!entry) return undefined
    if (clock.steady() - entry.readAt < maxAgeMs && isInForce(entry.found, clock)) return entry.found
    known.delete(credential)
    return undefined
  }

  const readOnce = (credential: string, read: () => Promise<KnownCredential<T> | undefined>): typeof result => {
    // Its age counts from here: what the database says may be as old as the question.
    const readAt = clock.steady()
    const result = read()
    reading.set(credential, result)
    const done = (found: KnownCredential<T> | undefined): void => {
      if (reading.get(credential) !== result) return
      reading.delete(credential)
      if (found) known.set(credential, { found, readAt })
    }
    result.then(done, () => done(undefined))
    return result
  }

  return {
    peek: (credential) => find(credential)?.value,
    async get(credential, read) {
      const found =
        find(credential) ??
        (await (events.connected ? (reading.get(credential) ?? readOnce(credential, read)) : read()))
      return found && isInForce(found, clock) ? found.value : undefined
    },
    async end(what) {
      await events.emit(ended, what)
    },
    async close() {
      for (const stop of stops) await stop()
    },
  }
}

interface Entry<T> {
  readonly found: KnownCredential<T>
  /** Of the steady clock. */
  readonly readAt: number
}

function isAffected(
  { id, userId, dependsOn }: KnownCredential<unknown>,
  ids: readonly string[] = [],
  ofUser: string | undefined,
): boolean {
  if (userId === ofUser || ids.includes(id)) return true
  if (!dependsOn) return false
  return dependsOn.ids.some((other) => ids.includes(other)) || dependsOn.userIds.some((other) => other === ofUser)
}

function isInForce({ expiresAt }: KnownCredential<unknown>, clock: Clock): boolean {
  return expiresAt === null || expiresAt.getTime() > clock.date()
}
