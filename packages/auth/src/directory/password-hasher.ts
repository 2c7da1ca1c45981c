import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash, type Options, parseOptions, verify } from '@node-rs/argon2'
import { createBoundedWork } from '@sallyport/core'
import { authErrors } from '../errors.js'
import { maxPasswordLength, normalisePassword } from '../password.js'

/** Argon2id with OWASP's parameters: 19 MiB, two passes, one lane. Raising them rehashes passwords as people sign in. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const satisfies Options

// Each hash takes its memory and a thread of libuv's four; a flood of logins waits in line, and then is turned away.
const maxConcurrentHashes = 4
const maxWaitingHashes = 200
const waitTimeoutMs = 5_000

export interface PasswordVerification {
  readonly valid: boolean
  /** Whether the hash was made with other parameters than today's. */
  readonly outdated: boolean
}

/** Hashes and verifies passwords, a bounded number at a time. Both throw `AUTH_ERR_HASHING_BUSY` (503) beyond that. */
export interface PasswordHasher {
  /** Gives a PHC string. */
  hash(password: string): Promise<string>
  /** Without a hash (no such user) it does the same work against one that no password fits. */
  verify(stored: string | undefined, password: string): Promise<PasswordVerification>
}

/** Makes a hasher; takes the time of one hash. */
export async function createPasswordHasher(): Promise<PasswordHasher> {
  const concurrency = Math.min(maxConcurrentHashes, availableParallelism())
  const bounded = createBoundedWork({
    concurrency,
    maxWaiting: maxWaitingHashes,
    waitTimeoutMs,
    busy: () => authErrors.HASHING_BUSY(undefined, { retryAfter: Math.ceil(waitTimeoutMs / 1000) }),
  })
  const dummy = await hash(randomBytes(32), parameters)

  return {
    hash: (password) => bounded(() => hash(normalisePassword(password), parameters)),
    async verify(stored, password) {
      const normalised = normalisePassword(password)
      // One that cannot have been chosen costs as much as any other, and no more.
      const tooLong = [...normalised].length > maxPasswordLength
      const matches = await bounded(() => verify(stored ?? dummy, tooLong ? '' : normalised))
      const valid = matches && stored !== undefined && !tooLong
      return { valid, outdated: valid && isOutdated(stored) }
    },
  }
}

function isOutdated(stored: string): boolean {
  const used = parseOptions(stored)
  return (
    used.memoryCost !== parameters.memoryCost ||
    used.timeCost !== parameters.timeCost ||
    used.parallelism !== parameters.parallelism ||
    used.outputLen !== parameters.outputLen
  )
}
