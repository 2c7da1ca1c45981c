import { createSecretKey, hkdfSync } from 'node:crypto'
import { coreErrors } from '../errors.js'
import type { DerivedKey, Keyring } from './keyring.js'

const minKeyLength = 32
const maxKeys = 32
const derivedKeyBytes = 32
const idBytes = 9
/** Purposes are names in the program, so there are few; more than this are derived anew each time. */
const maxRemembered = 1_000

/**
 * Makes a keyring of secrets, newest first.
 * @throws `CORE_ERR_SECRET_KEYS_INVALID` unless each has 32 characters or more and none is there twice
 */
export function createKeyring(secrets: readonly string[]): Keyring {
  assertStrong(secrets)
  const ids = secrets.map((secret) => hkdf(secret, 'key id', idBytes).toString('base64url'))
  const remembered = new Map<string, readonly [DerivedKey, ...DerivedKey[]]>()
  return {
    derive(purpose) {
      const known = remembered.get(purpose)
      if (known) return known
      const keys = secrets.map((secret, index) => {
        const key = createSecretKey(hkdf(secret, `purpose ${purpose}`, derivedKeyBytes))
        return Object.freeze({ id: ids[index] as string, key })
      })
      const derived = Object.freeze(keys) as readonly [DerivedKey, ...DerivedKey[]]
      if (remembered.size < maxRemembered) remembered.set(purpose, derived)
      return derived
    },
  }
}

function assertStrong(secrets: readonly string[]): void {
  const refuse = (reason: string): never => {
    throw coreErrors.SECRET_KEYS_INVALID({ reason })
  }
  if (secrets.length === 0) refuse('there is none')
  if (secrets.length > maxKeys) refuse(`there are more than ${maxKeys}`)
  const short = secrets.findIndex((secret) => [...secret].length < minKeyLength)
  if (short !== -1) refuse(`number ${short + 1} is shorter than ${minKeyLength} characters`)
  if (new Set(secrets).size !== secrets.length) refuse('one is there twice')
}

/** RFC 5869 with SHA-256 and without a salt. */
function hkdf(secret: string, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sallyport ${info}`, bytes))
}
