import { Type } from '@sinclair/typebox'
import { people } from '../session/route-options.js'
import { type TwoFactorRouteOptions, tag } from './route-options.js'
import { secondFactorMethods } from './second-factor.js'

const answer = Type.Object({
  enabled: Type.Boolean(),
  methods: Type.Array(Type.String()),
  recoveryCodesLeft: Type.Integer(),
})

/** `GET /api/auth/2fa`. */
export function registerStatusRoute({ http, store, email }: TwoFactorRouteOptions): void {
  http.route({
    method: 'GET',
    url: '/api/auth/2fa',
    access: people,
    summary: "Says whether the caller's two-factor sign-in is on, and by what it can be passed",
    tag,
    response: { 200: answer },
    async handler({ principal }) {
      const enabled = (await store.find(principal.id)) !== undefined
      const recoveryCodesLeft = enabled ? await store.recoveryCodesLeft(principal.id) : 0
      return { enabled, methods: enabled ? secondFactorMethods(email, recoveryCodesLeft) : [], recoveryCodesLeft }
    },
  })
}
