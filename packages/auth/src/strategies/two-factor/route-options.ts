import type { Audit, Database, Http, Principal, RouteContext, UserDirectory } from '@sallyport/core'
import { type TString, Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { refuse } from '../../input.js'
import type { Attempts } from '../../sign-in/attempts.js'
import type { SignIn } from '../../sign-in/sign-in.js'
import type { Proofs } from './proofs.js'
import type { TempTokens } from './temp-tokens.js'
import type { TwoFactorStore } from './two-factor-store.js'

/** What the routes of second factors work with. */
export interface TwoFactorRouteOptions {
  readonly http: Http
  readonly users: UserDirectory
  readonly audit: Audit
  readonly database: Database
  readonly signIn: SignIn
  readonly attempts: Attempts
  readonly store: TwoFactorStore
  readonly proofs: Proofs
  readonly tempTokens: TempTokens
  /** Whether codes are sent by mail. */
  readonly email: boolean
}

/** Group in the OpenAPI document. */
export const tag = 'Two-factor'

const codePattern = '^[0-9]{6}$'
const maxRecoveryCodeLength = 64
/** Other tokens fit too: they are wrong (401), not malformed. */
const maxTempTokenLength = 4_096

/** Schema of a code of six digits. */
export const codeSchema: TString = Type.String({ pattern: codePattern })
/** Schema of a recovery code, however it is typed: what no code can be is a wrong one. */
export const recoveryCodeSchema: TString = Type.String({ minLength: 1, maxLength: maxRecoveryCodeLength })
export const tempTokenSchema: TString = Type.String({ minLength: 1, maxLength: maxTempTokenLength })

const codeExpression = new RegExp(codePattern)

/** Whether it is a code of six digits. */
export function isCode(value: unknown): value is string {
  return typeof value === 'string' && codeExpression.test(value)
}

/**
 * Throws `CORE_ERR_VALIDATION_FAILED` (400) unless a body has exactly one of `fields`.
 */
export function assertOne(body: Readonly<Record<string, unknown>>, fields: readonly [string, ...string[]]): void {
  const given = fields.filter((field) => body[field] !== undefined)
  if (given.length === 0) throw refuse(`/${fields[0]}`, 'is required')
  if (given.length > 1) throw refuse(`/${given[1]}`, `must not be there beside ${given[0]}`)
}

/** A request of somebody who is signed in. */
export type PersonalRequest = Pick<RouteContext, 'ip' | 'requestId'> & { readonly principal: Principal }

/** Throws `AUTH_ERR_TWO_FACTOR_OFF` (409). */
export async function assertOn({ store }: TwoFactorRouteOptions, userId: string): Promise<void> {
  if (!(await store.find(userId))) throw authErrors.TWO_FACTOR_OFF()
}

/**
 * Lets the caller try a code of theirs, and counts and records when it is wrong.
 * @param work gives `undefined` for a wrong code
 * @throws `AUTH_ERR_SECOND_FACTOR_REFUSED` (401), `AUTH_ERR_TOO_MANY_ATTEMPTS` (429)
 */
export async function tryCode<T>(
  { attempts, audit }: TwoFactorRouteOptions,
  { principal, ip, requestId }: PersonalRequest,
  work: () => Promise<T | undefined>,
): Promise<T> {
  const result = await attempts.run({ account: principal.id, ip }, work)
  if (result !== undefined) return result
  const target = { type: 'user', id: principal.id }
  await audit.record({ action: 'two-factor.refused', actor: principal, target, ip, requestId })
  throw authErrors.SECOND_FACTOR_REFUSED()
}
