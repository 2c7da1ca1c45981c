import type { SecondFactor, SignInMethod } from '../../sign-in/sign-in.js'
import type { TwoFactorRouteOptions } from './route-options.js'

/** What is asked for after a right password, of users who have set it up. */
export function createSecondFactor({ store, tempTokens, email }: TwoFactorRouteOptions): SecondFactor {
  return {
    name: 'two-factor',
    isEnabled: async (userId) => (await store.find(userId)) !== undefined,
    async challenge(user) {
      const methods = secondFactorMethods(email, await store.recoveryCodesLeft(user.id))
      return { tempToken: await tempTokens.issue(user), methods }
    },
  }
}

/** By what somebody with a second factor can pass. */
export function secondFactorMethods(email: boolean, recoveryCodesLeft: number): readonly SignInMethod[] {
  return ['totp', ...(email ? ['email'] : []), ...(recoveryCodesLeft > 0 ? ['recovery-code'] : [])]
}
