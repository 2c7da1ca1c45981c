import { api, unwrap } from '../api.js'
import { canUsePasskeys } from './passkey.js'

/** A way to prove again who one is. */
export type Way = 'password' | 'code' | 'passkey'

/** The ways that the signed-in user has, the likeliest first. */
export async function findWays(): Promise<readonly [Way, ...Way[]]> {
  const [twoFactor, passkeys, session] = await Promise.all([
    unwrap(api.GET('/api/auth/2fa')).catch(() => undefined),
    unwrap(api.GET('/api/auth/passkeys')).catch(() => undefined),
    unwrap(api.GET('/api/auth/session')).catch(() => undefined),
  ])
  const methods: readonly string[] = session?.session?.methods ?? []
  const hasCode = twoFactor?.enabled === true
  const passkey: readonly Way[] = canUsePasskeys() && passkeys?.passkeys.length ? ['passkey'] : []
  // In a session that was begun by a password alone, a password proves too little for who has a second factor.
  if (hasCode && methods.every((method) => method === 'password')) return ['code', ...passkey]
  const rest: readonly Way[] = hasCode ? ['code'] : []
  const [other] = passkey
  if (other && methods.includes(other)) return [other, 'password', ...rest]
  return ['password', ...rest, ...passkey]
}
