import type { Logger } from '@sallyport/core'
import type { Secrets } from './secrets.js'
import type { TwoFactorStore } from './two-factor-store.js'

const batchLength = 100

interface ResealOptions {
  readonly store: TwoFactorStore
  readonly secrets: Secrets
  readonly logger: Logger
  readonly signal: AbortSignal
}

/**
 * Seals with the newest key what older ones seal, a batch at a time, so that those can be taken out of `SECRET_KEYS`.
 * What no key opens stays as it is and is reported.
 */
export async function resealOutdated({ store, secrets, logger, signal }: ResealOptions): Promise<void> {
  let after = ''
  let resealed = 0
  let lost = 0
  while (!signal.aborted) {
    const rows = await store.sealedByOthers(secrets.newestKey, after, batchLength)
    for (const { userId, secret } of rows) {
      if (signal.aborted) return
      const opened = secrets.open(secret, userId)
      if (opened) await store.reseal(userId, secret, secrets.seal(opened.secret, userId))
      if (opened) resealed += 1
      else lost += 1
      after = userId
    }
    if (rows.length < batchLength) break
  }
  if (resealed > 0) logger.info({ users: resealed }, 'two-factor secrets are sealed with the newest key now')
  if (lost > 0) logger.error({ users: lost }, 'two-factor secrets cannot be opened: the key that sealed them is gone')
}
