import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Principal, samePrincipal } from '../identity/principal.js'
import { checkAccess } from './access.js'
import { authenticationRequest, type HttpEngine } from './engine.js'
import { toCatalogued } from './error-mapping.js'
import type { RequestState } from './request-state.js'
import type { AnyRoute } from './route-table.js'

/** Whether a request whose answer goes on would still be let in. */
export interface StandingCheck {
  /** Looks, unless that is not older than `maxAgeMs`; one at a time. Never rejects. */
  run(maxAgeMs: number): Promise<void>
  /** Whether it was let in lately. */
  readonly isFresh: boolean
}

interface Outcomes {
  /** It is let in, as this principal. */
  readonly holds: (principal: Principal | undefined) => void
  /** The same, after it could not be found out for a while. */
  readonly again: () => void
  /** It is not let in any more, or that could not be found out for too long. */
  readonly refused: () => void
}

/** Who cannot be looked at, because the database is away, is sent nothing after this long, and is cut after the other. */
const freshMs = 5_000
const maxUnknownMs = 60_000

export function createStandingCheck(
  engine: HttpEngine,
  { access }: AnyRoute,
  state: RequestState,
  raw: IncomingMessage,
  outcomes: Outcomes,
): StandingCheck {
  const asked = authenticationRequest(raw, state.ip)
  let checkedAt = performance.now()
  let running: Promise<void> | undefined

  const look = async (): Promise<Principal | undefined> => {
    await engine.guards.run(state.paths, raw)
    return access === 'public' ? undefined : checkAccess(access, await engine.authenticator.authenticate(asked))
  }
  const attempt = async (): Promise<void> => {
    const begun = performance.now()
    try {
      const principal = await look()
      const before = state.principal
      if (before && (!principal || !samePrincipal(before, principal))) {
        outcomes.refused()
        return
      }
      const wasFresh = isFresh()
      checkedAt = begun
      state.principal = principal
      if (principal !== before) outcomes.holds(principal)
      if (!wasFresh) outcomes.again()
    } catch (error) {
      const isFault = toCatalogued(error, engine.bodyLimit).status >= 500
      if (!isFault || performance.now() - checkedAt > maxUnknownMs) outcomes.refused()
      else engine.logger.debug({ err: error, requestId: state.requestId }, 'credentials could not be looked at again')
    }
  }
  const isFresh = (): boolean => performance.now() - checkedAt < freshMs

  return {
    run(maxAgeMs) {
      const ageMs = performance.now() - checkedAt
      if (ageMs < maxAgeMs) return Promise.resolve()
      // A look that does not end finds nothing out either.
      if (running && ageMs > maxUnknownMs) outcomes.refused()
      running ??= attempt().finally(() => {
        running = undefined
      })
      return running
    },
    get isFresh() {
      return isFresh()
    },
  }
}
