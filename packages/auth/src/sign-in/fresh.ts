import type { Principal } from '@sallyport/core'
import { authErrors } from '../errors.js'

/** How long after somebody proved who they are they may do what is delicate, in milliseconds. */
const freshForMs = 600_000

/**
 * Refuses what only somebody may do who proved lately who they are.
 * @throws `AUTH_ERR_REAUTHENTICATION_REQUIRED` (403) for a user whose session is not fresh or who has none
 */
export function assertFreshSession({ kind, session }: Principal): void {
  if (kind !== 'user') return
  if (!session || Date.now() - session.authenticatedAt.getTime() > freshForMs) {
    throw authErrors.REAUTHENTICATION_REQUIRED()
  }
}
