import { type Static, Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { refuse } from '../../input.js'
import type { SignInMethod } from '../../sign-in/sign-in.js'
import { accountViewSchema } from '../session/views.js'
import type { CodeProof } from './proofs.js'
import {
  assertOne,
  codeSchema,
  recoveryCodeSchema,
  type TwoFactorRouteOptions,
  tag,
  tempTokenSchema,
} from './route-options.js'
import type { PendingSignIn } from './temp-tokens.js'

const body = Type.Object(
  {
    tempToken: tempTokenSchema,
    token: Type.Optional(codeSchema),
    emailCode: Type.Optional(codeSchema),
    backupCode: Type.Optional(recoveryCodeSchema),
  },
  { additionalProperties: false },
)
const answer = Type.Object({ token: Type.String(), user: accountViewSchema })

/** `POST /api/auth/2fa/verify-login`: the second step of signing in. */
export function registerVerifyLoginRoute(options: TwoFactorRouteOptions): void {
  const { http, database, signIn, attempts, proofs, tempTokens, email } = options

  const check = async ({ id, user }: PendingSignIn, given: Static<typeof body>): Promise<CodeProof | undefined> => {
    if (given.token !== undefined) return proofs.totp(user.id, given.token)
    if (given.emailCode !== undefined) return proofs.emailCode(id, given.emailCode)
    return proofs.recoveryCode(user.id, given.backupCode ?? '')
  }

  /** Uses up code and tempToken, both or neither. */
  const redeem = (tempToken: string, proof: CodeProof): Promise<SignInMethod | undefined> =>
    database.transaction(async (transaction) => {
      if (!(await proof.use(transaction))) return undefined
      await tempTokens.redeem(tempToken, transaction)
      return proof.method
    })

  http.route({
    method: 'POST',
    url: '/api/auth/2fa/verify-login',
    access: 'public',
    summary: 'Completes a sign-in with a second factor',
    description:
      'Takes the `tempToken` of `/api/auth/login` and exactly one of `token` (authenticator app), `emailCode` and ' +
      '`backupCode`. The tempToken lives 5 minutes and works once; a wrong code leaves it as it is. 401 ' +
      '`invalid_code` for a wrong code, `invalid_temp_token` when the sign-in has to begin again.',
    tag,
    body,
    response: { 200: answer },
    async handler(context) {
      signIn.assertSameSite(context)
      const { tempToken } = context.body
      assertOne(context.body, ['token', 'emailCode', 'backupCode'])
      if (context.body.emailCode !== undefined && !email) throw refuse('/emailCode', 'is not in use on this panel')
      const pending = await tempTokens.find(tempToken)
      const { user } = pending
      const method = await attempts.run({ account: user.id, ip: context.ip }, async () => {
        const proof = await check(pending, context.body)
        return proof && redeem(tempToken, proof)
      })
      if (method === undefined) {
        await signIn.recordRefusal(context, { userId: user.id, email: user.email, method: 'second-factor' })
        throw authErrors.SECOND_FACTOR_REFUSED()
      }
      return signIn.complete(user, ['password', method], context)
    },
  })
}
