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
  /** Whether `get` would not have to read it. */
  has(credential: string): boolean
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
}

const defaultMaxAgeMs = 1_000
const defaultMaxEntries = 20_000

export function createCredentialCache<T>(options: CredentialCacheOptions): CredentialCache<T> {
  const { events, name, maxAgeMs = defaultMaxAgeMs, maxEntries = defaultMaxEntries } = options
  const ended: EventToken<EndedCredentials> = defineEvent(`${name}.ended`)
  const known = new LRUCache<string, KnownCredential<T>>({ max: maxEntries, ttl: maxAgeMs })
  /** Reads under way that no ending has overtaken. */
  const reading = new Map<string, Promise<KnownCredential<T> | undefined>>()

  const forget = ({ ids, userId }: EndedCredentials): void => {
    // Whatever they read may be from before the ending.
    reading.clear()
    for (const [credential, entry] of known.entries()) {
      if (entry.userId === userId || ids?.includes(entry.id)) known.delete(credential)
    }
  }
  const stops = [
    events.on(ended, forget),
    events.onResync(() => {
      reading.clear()
      known.clear()
    }),
  ]

  const readOnce = (credential: string, read: () => Promise<KnownCredential<T> | undefined>): typeof result => {
    const result = read()
    reading.set(credential, result)
    const done = (entry: KnownCredential<T> | undefined): void => {
      if (reading.get(credential) !== result) return
      reading.delete(credential)
      if (entry) known.set(credential, entry)
    }
    result.then(done, () => done(undefined))
    return result
  }

  return {
    has: (credential) => events.connected && known.has(credential),
    async get(credential, read) {
      if (!events.connected) return (await read())?.value
      const entry = known.get(credential) ?? (await (reading.get(credential) ?? readOnce(credential, read)))
      if (!entry || (entry.expiresAt && entry.expiresAt.getTime() <= Date.now())) return undefined
      return entry.value
    },
    async end(what) {
      await events.emit(ended, what)
    },
    async close() {
      for (const stop of stops) await stop()
    },
  }
}
