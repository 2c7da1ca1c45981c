import { refuse } from '../../input.js'
import type { ReauthenticationProof } from '../../sign-in/sign-in.js'
import { isCode, type TwoFactorRouteOptions } from './route-options.js'

/** `POST /api/auth/reauthenticate` with `token`: a code of the authenticator app. */
export function createTotpProof({ attempts, database, proofs }: TwoFactorRouteOptions): ReauthenticationProof {
  return {
    field: 'token',
    async verify({ id }, value, { ip }) {
      if (!isCode(value)) throw refuse('/token', 'must have six digits')
      return attempts.run({ account: id, ip }, async () => {
        const proof = await proofs.totp(id, value)
        const used = proof && (await database.transaction((transaction) => proof.use(transaction)))
        return used ? proof.method : undefined
      })
    },
  }
}
