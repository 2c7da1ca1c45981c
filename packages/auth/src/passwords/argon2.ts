import { parseOptions, verify } from '@node-rs/argon2'
import type { PasswordScheme } from './password-scheme.js'

/** A PHC string; Django puts the name of its hasher in front. */
const expression = /^(?:argon2)?(\$argon2(id|i)\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$([A-Za-z0-9+/]+)\$[A-Za-z0-9+/]+)$/

// Nobody stores more than this for people who sign in; from elsewhere it would be a way to exhaust the machine.
const maxMemoryCost = 262_144
const maxTimeCost = 20
const maxParallelism = 16

/** What an argon2 hash was made with. */
export interface Argon2Hash {
  readonly phc: string
  readonly variant: 'id' | 'i'
  /** KiB. */
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
  readonly outputLen: number
  readonly salt: Buffer
}

/** Reads an argon2id or argon2i hash (RFC 9106); `undefined` for anything else, and for one beyond the bounds. */
export function readArgon2(stored: string): Argon2Hash | undefined {
  const [, phc, variant, salt] = expression.exec(stored) ?? []
  if (phc === undefined || salt === undefined) return undefined
  try {
    const { memoryCost, timeCost, parallelism, outputLen } = parseOptions(phc)
    if (memoryCost > maxMemoryCost || timeCost > maxTimeCost || parallelism > maxParallelism) return undefined
    return {
      phc,
      variant: variant === 'id' ? 'id' : 'i',
      memoryCost,
      timeCost,
      parallelism,
      outputLen,
      salt: Buffer.from(salt, 'base64'),
    }
  } catch {
    return undefined
  }
}

/** Argon2id and argon2i, as PHP, Django and most others store them. */
export const argon2: PasswordScheme = {
  name: 'argon2',
  workOf(stored) {
    const hash = readArgon2(stored)
    return hash && `argon2${hash.variant}:m=${hash.memoryCost},t=${hash.timeCost},p=${hash.parallelism}`
  },
  async verify(stored, password) {
    const hash = readArgon2(stored)
    return hash !== undefined && verify(hash.phc, password)
  },
}
