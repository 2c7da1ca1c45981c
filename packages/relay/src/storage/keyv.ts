import { RelayError } from '../errors.js'
import type { RelayStorage } from './storage.js'

/** What is needed of a Keyv (4 or 5); the package itself is not. */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttl?: number): Promise<unknown>
  on?(event: 'error', listener: (error: unknown) => void): unknown
  off?(event: 'error', listener: (error: unknown) => void): unknown
  /** Of version 5. */
  readonly throwOnErrors?: boolean
}

export interface KeyvStorageOptions {
  /** Of this relay alone. Default 'sallyport-relay'. */
  key?: string
  /** Longest wait for the store. Default 10,000. */
  timeoutMs?: number
}

const DEFAULT_KEY = 'sallyport-relay'
const DEFAULT_TIMEOUT_MS = 10_000
/** Whatever the Keyv's own says: a state that expires is lost. */
const FOR_EVER = 0

/**
 * Keeps the snapshot under one key of a Keyv, as JSON text that does not expire; how safe it is there is the store's matter (a Redis
 * without `appendonly` forgets). Keyv 5 needs `throwOnErrors: true`, since a read that fails would else look like a relay that never
 * stored anything, which then starts anew; without it this throws RELAY_ERR_INVALID_OPTION. What cannot be read rejects with
 * RELAY_ERR_STORAGE_CORRUPT and stays until the next save; a store that fails or does not answer in time rejects `load` with its error
 * (ETIMEDOUT) and `save` with RELAY_ERR_STORAGE_WRITE.
 */
export function keyvStorage(keyv: KeyvLike, options: KeyvStorageOptions = {}): RelayStorage {
  const { key = DEFAULT_KEY, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  if (keyv.throwOnErrors === false) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'keyv: throwOnErrors must be true')
  let last: Promise<void> = Promise.resolve()
  return {
    load: async () => {
      // Of its serialisation, which is not ours; its message may quote the text, and the text holds a key.
      const corrupt = (error: unknown) => (error instanceof SyntaxError ? CORRUPT : Promise.reject(error))
      const text = await attempt(keyv, timeoutMs, () => keyv.get(key)).catch(corrupt)
      return text === undefined || text === null ? undefined : parse(text)
    },
    save: (snapshot) => {
      const text = JSON.stringify(snapshot)
      const saved = last.then(() => write(keyv, key, text, timeoutMs))
      last = saved.catch(() => {})
      return saved
    },
    close: () => last,
  }
}

const CORRUPT = Symbol('corrupt')

function parse(text: unknown): unknown {
  try {
    if (typeof text === 'string') return JSON.parse(text)
  } catch {
    // As below.
  }
  throw new RelayError('RELAY_ERR_STORAGE_CORRUPT', 'not JSON')
}

async function write(keyv: KeyvLike, key: string, text: string, timeoutMs: number): Promise<void> {
  try {
    const taken = await attempt(keyv, timeoutMs, () => keyv.set(key, text, FOR_EVER))
    if (taken === false) throw new Error('not taken')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new RelayError('RELAY_ERR_STORAGE_WRITE', code ?? 'unknown', { cause })
  }
}

/** Some adapters tell an error only as an event, and go on as if nothing was there. */
async function attempt(keyv: KeyvLike, timeoutMs: number, act: () => Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`the store did not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }))
    }, timeoutMs)
  })
  keyv.on?.('error', fail)
  try {
    return await Promise.race([act(), failed])
  } finally {
    clearTimeout(timer)
    keyv.off?.('error', fail)
  }
}
