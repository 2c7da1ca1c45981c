import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Keyring } from './keyring.js'

const algorithm = 'aes-256-gcm'
/** NIST SP 800-38D section 8.2.2: random, 96 bits. */
const nonceBytes = 12
const tagBytes = 16
const format = 'v1'

/** What was sealed. */
export interface OpenedSeal {
  readonly plaintext: Buffer
  /** Whether another key than the newest sealed it: to be sealed again, so that the old key can be taken away. */
  readonly outdated: boolean
}

/** Encrypts what the database keeps of a secret, with keys of the keyring. */
export interface Sealer {
  /** @param context where it belongs, such as a user's id: sealed for one it opens for no other */
  seal(plaintext: Uint8Array, context: string): string
  /** `undefined` for what is damaged, of another context or purpose, or sealed with a key that is gone. */
  open(sealed: string, context: string): OpenedSeal | undefined
}

/** Makes a sealer for one purpose: AES-256-GCM (NIST SP 800-38D), sealed by the newest key, opened by any. */
export function createSealer(keyring: Keyring, purpose: string): Sealer {
  const keys = keyring.derive(`seal ${purpose}`)
  const [newest] = keys
  return {
    seal(plaintext, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, newest.key, nonce, { authTagLength: tagBytes })
      cipher.setAAD(Buffer.from(context))
      const parts = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]
      return `${format}.${newest.id}.${Buffer.concat(parts).toString('base64url')}`
    },
    open(sealed, context) {
      const [version, id, text, ...rest] = sealed.split('.')
      const key = keys.find((candidate) => candidate.id === id)
      if (version !== format || !key || text === undefined || rest.length > 0) return undefined
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length < nonceBytes + tagBytes) return undefined
      const nonce = bytes.subarray(0, nonceBytes)
      const decipher = createDecipheriv(algorithm, key.key, nonce, { authTagLength: tagBytes })
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      try {
        const plaintext = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
        return { plaintext, outdated: key !== newest }
      } catch {
        return undefined
      }
    },
  }
}
