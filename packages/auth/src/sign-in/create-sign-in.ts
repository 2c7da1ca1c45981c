import { type Audit, coreErrors, type Http } from '@sallyport/core'
import type { CrossSiteCheck } from '../cross-site.js'
import { authErrors } from '../errors.js'
import { hasSessionCookie, setSessionCookie } from '../strategies/session/session-cookie.js'
import type { SessionStore } from '../strategies/session/session-store.js'
import { toAccountView } from '../strategies/session/views.js'
import { assertFreshSession } from './fresh.js'
import type { ReauthenticationProof, SecondFactor, SignIn } from './sign-in.js'

interface SignInOptions {
  readonly http: Http
  readonly audit: Audit
  readonly store: SessionStore
  readonly cookieMaxAgeSeconds: number
  readonly isForeign: CrossSiteCheck
}

/** `SignIn`, and what only the session strategy's own routes need. */
export interface OpenSignIn extends SignIn {
  proof(field: string): ReauthenticationProof | undefined
}

/** Makes the end that all ways to sign in share. */
export function createSignIn({ http, audit, store, cookieMaxAgeSeconds, isForeign }: SignInOptions): OpenSignIn {
  const factors = new Map<string, SecondFactor>()
  const proofs = new Map<string, ReauthenticationProof>()

  const enabledFactor = async (userId: string): Promise<SecondFactor | undefined> => {
    for (const factor of factors.values()) if (await factor.isEnabled(userId)) return factor
    return undefined
  }

  const signIn: OpenSignIn = {
    addSecondFactor: (factor) => add(factors, factor.name, factor),
    addProof: (proof) => add(proofs, proof.field, proof),
    proof: (field) => proofs.get(field),
    hasSecondFactor: async (userId) => (await enabledFactor(userId)) !== undefined,
    async complete(user, methods, { ip, requestId, request, reply }) {
      if (user.suspended) throw authErrors.LOGIN_REFUSED()
      const userAgent = request.headers['user-agent']
      const { token, session } = await store.begin(user, { ip, userAgent, methods })
      await audit.record({
        action: 'session.created',
        target: { type: 'session', id: session.id },
        ip,
        requestId,
        data: { userId: user.id, email: user.email, method: methods.join('+') },
      })
      setSessionCookie(reply, token, { publicUrl: http.publicUrl, maxAgeSeconds: cookieMaxAgeSeconds })
      return { token, user: toAccountView(user) }
    },
    async completeFirstFactor(user, method, request) {
      const factor = await enabledFactor(user.id)
      if (!factor) return signIn.complete(user, [method], request)
      return { twoFactorRequired: true, ...(await factor.challenge(user)) }
    },
    async recordRefusal({ ip, requestId }, data) {
      await audit.record({ action: 'session.refused', ip, requestId, data })
    },
    async assertFresh(principal) {
      assertFreshSession(principal)
      const { kind, id, session } = principal
      if (kind !== 'user' || !session || session.methods.some(isStrong)) return
      if (await signIn.hasSecondFactor(id)) throw authErrors.REAUTHENTICATION_REQUIRED()
    },
    async strengthen({ kind, id, session }, method) {
      if (kind !== 'user' || !session) return
      await store.freshen(id, session.id, [...new Set([...session.methods, method])])
    },
    assertSameSite({ request }) {
      if (isForeign({ method: 'POST', headers: request.headers })) throw authErrors.CROSS_SITE_REQUEST()
    },
    assertUnforged(context) {
      if (hasSessionCookie(context.request.headers.cookie)) signIn.assertSameSite(context)
    },
  }
  return signIn
}

/** Whether it is more than a password: a session begun by a password alone does not take away the second factor. */
export function isStrong(method: string): boolean {
  return method !== 'password'
}

function add<T>(map: Map<string, T>, key: string, value: T): () => void {
  if (map.has(key)) throw coreErrors.CONFLICT({ reason: `There is a way to sign in called ${key} already` })
  map.set(key, value)
  return () => void map.delete(key)
}
