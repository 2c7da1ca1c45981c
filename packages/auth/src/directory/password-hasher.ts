import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash, type Options } from '@node-rs/argon2'
import { type BoundedWork, createBoundedWork } from '@sallyport/core'
import { authErrors } from '../errors.js'
import { maxPasswordLength, normalisePassword } from '../password.js'
import { readArgon2 } from '../passwords/argon2.js'
import type { PasswordScheme } from '../passwords/password-scheme.js'
import { type KnownHash, passwordSchemes, readHash } from '../passwords/schemes.js'
import { findText } from '../passwords/verify-password.js'

/** Argon2id with OWASP's parameters: 19 MiB, two passes, one lane. Raising them rehashes passwords as people sign in. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const satisfies Options
const saltBytes = 16

// Each hash takes its memory and a thread of libuv's four; a flood of logins waits in line, and then is turned away.
const maxConcurrentHashes = 4
const maxWaitingHashes = 200
const waitTimeoutMs = 5_000

/** Kinds of hash that every verification goes through; what a table has beyond those takes longer than the rest. */
const maxKinds = 6

export interface PasswordVerification {
  readonly valid: boolean
  /** Whether the hash is weaker than today's, and today's of the password as it was typed would do in its place. */
  readonly outdated: boolean
}

/** Hashes and verifies passwords, a bounded number at a time. Both throw `AUTH_ERR_HASHING_BUSY` (503) beyond that. */
export interface PasswordHasher {
  /** Gives a PHC string. @param salt 16 bytes, for a hash in the place of another of the same password; else random */
  hash(password: string, salt?: Uint8Array): Promise<string>
  /**
   * Without a hash, or with one of no known kind, it does the same work against one that no password fits. Where there
   * are hashes of several kinds, every verification does the work of each kind once.
   */
  verify(stored: string | undefined, password: string): Promise<PasswordVerification>
}

/** Which hashes other programs may have made. Left out, all are the hasher's own. */
export interface ForeignHashes {
  /**
   * A hash of each kind that the table has, of anybody: from these the work is taken that an unknown account costs. One
   * of another kind is verified too, and is of the known kinds from then on.
   */
  readonly samples: readonly string[]
  /** Formats beside those that are known already. */
  readonly schemes?: readonly PasswordScheme[]
}

export function createPasswordHasher(foreign?: ForeignHashes): PasswordHasher {
  const bounded = createLine()
  const schemes = [...(foreign?.schemes ?? []), ...passwordSchemes]
  /** One of each kind, by the work that it is. Of these hashes nothing but the time counts. */
  const kinds = new Map<string, KnownHash>()
  const add = (known: KnownHash): void => {
    if (!kinds.has(known.work) && kinds.size < maxKinds) kinds.set(known.work, known)
  }
  for (const stored of [unmatchable(), ...(foreign?.samples ?? [])]) {
    const known = readHash(schemes, stored)
    if (!known) throw authErrors.HASH_UNKNOWN()
    add(known)
  }

  return {
    hash: (password, salt = randomBytes(saltBytes)) =>
      bounded(() => hash(normalisePassword(password), { ...parameters, salt })),
    async verify(stored, password) {
      // One that cannot have been chosen costs as much as any other, and no more.
      const tooLong = [...normalisePassword(password)].length > maxPasswordLength
      const given = tooLong ? '' : password
      const known = stored === undefined ? undefined : readHash(schemes, stored)
      if (known) add(known)
      const text = await bounded(async () => {
        let found: string | undefined
        for (const kind of new Set([...kinds.keys(), ...(known ? [known.work] : [])])) {
          const isOwn = kind === known?.work
          const hash = isOwn ? known : kinds.get(kind)
          const fits = hash && (await findText(hash, given, foreign !== undefined))
          if (isOwn) found = fits
        }
        return found
      })
      const valid = text !== undefined && !tooLong
      // The host's program must go on to understand what it finds: a form of its own making stays in its own hash.
      const isPlain = foreign === undefined || (text === password && text === normalisePassword(password))
      return { valid, outdated: valid && known !== undefined && isPlain && isWeaker(known.stored) }
    },
  }
}

function createLine(): BoundedWork {
  return createBoundedWork({
    concurrency: Math.min(maxConcurrentHashes, availableParallelism()),
    maxWaiting: maxWaitingHashes,
    waitTimeoutMs,
    busy: () => authErrors.HASHING_BUSY(undefined, { retryAfter: Math.ceil(waitTimeoutMs / 1000) }),
  })
}

/** A hash that no password fits, nobody having hashed one. */
function unmatchable(): string {
  const { memoryCost, timeCost, parallelism, outputLen } = parameters
  const [salt, output] = [saltBytes, outputLen].map((length) =>
    randomBytes(length).toString('base64').replaceAll('=', ''),
  )
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${output}`
}

/** A stronger one of the same kind stays. */
function isWeaker(stored: string): boolean {
  const used = readArgon2(stored)
  return (
    used?.variant !== 'id' ||
    used.memoryCost * used.timeCost < parameters.memoryCost * parameters.timeCost ||
    used.outputLen < parameters.outputLen
  )
}
