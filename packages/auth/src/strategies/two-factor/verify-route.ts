import { type TArray, type TObject, type TString, Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { people } from '../session/route-options.js'
import { recoveryCodeCount } from './recovery-codes.js'
import { codeSchema, type TwoFactorRouteOptions, tag, tryCode } from './route-options.js'
import type { Secrets } from './secrets.js'
import { matchTotp } from './totp.js'

const body = Type.Object({ token: codeSchema }, { additionalProperties: false })

/** Schema of what shows new recovery codes. */
export const recoveryCodesAnswer: TObject<{ recoveryCodes: TArray<TString> }> = Type.Object({
  recoveryCodes: Type.Array(Type.String(), { minItems: recoveryCodeCount, maxItems: recoveryCodeCount }),
})

/** `POST /api/auth/2fa/verify`: the end of a set-up. */
export function registerVerifyRoute(options: TwoFactorRouteOptions, secrets: Secrets): void {
  const { http, audit, database, signIn, store } = options

  /** The new recovery codes; `undefined` for a wrong code. */
  const finish = async (userId: string, code: string): Promise<readonly string[] | undefined> => {
    const setup = await store.findSetup(userId)
    const opened = setup && secrets.open(setup.secret, userId)
    if (!opened) throw authErrors.TWO_FACTOR_SETUP_MISSING()
    const step = matchTotp(opened.secret, code)
    if (step === undefined) return undefined
    return database.transaction(async (transaction) => {
      await store.lock(userId, transaction)
      // The code counts as used: it signs nobody in any more.
      const secret = secrets.seal(opened.secret, userId)
      const finished = await store.finishSetup(userId, setup.id, secret, step, transaction)
      if (!finished) throw authErrors.TWO_FACTOR_SETUP_MISSING()
      return store.replaceRecoveryCodes(userId, transaction)
    })
  }

  http.route({
    method: 'POST',
    url: '/api/auth/2fa/verify',
    access: people,
    summary: 'Turns two-factor sign-in on, or moves it to a new secret',
    description:
      'Takes a code of the secret that `/api/auth/2fa/setup` gave. The recovery codes are shown this once; earlier ones ' +
      'end. 409 `two_factor_setup_missing` when no set-up is under way. Needs a fresh sign-in.',
    tag,
    body,
    response: { 200: recoveryCodesAnswer },
    async handler(context) {
      const { principal, ip, requestId } = context
      await signIn.assertFresh(principal)
      const moved = (await store.find(principal.id)) !== undefined
      const recoveryCodes = await tryCode(options, context, () => finish(principal.id, context.body.token))
      // They have just shown the second factor: what is delicate stays open to this session.
      await signIn.strengthen(principal, 'totp')
      const target = { type: 'user', id: principal.id }
      await audit.record({
        action: 'two-factor.enabled',
        actor: principal,
        target,
        ip,
        requestId,
        data: { moved },
      })
      return { recoveryCodes }
    },
  })
}
