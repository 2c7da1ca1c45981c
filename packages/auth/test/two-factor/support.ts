import { Database } from '@sallyport/core'
import { generateSync } from 'otplib'
import { QueryTypes } from 'sequelize'
import type { Test } from 'tap'
import { directory, type session, twoFactor } from '../../dist/index.js'
import type { Answer, Call } from '../support/client.js'
import { type Panel, type PanelOptions, startPanel } from '../support/panel.js'
import { until } from '../support/until.js'

export const admin = { email: 'admin@localhost', password: 'correct horse battery' }

const stepSeconds = 30
/** A code is not begun with that would end so soon: the request has to arrive. */
const marginSeconds = 4

/** What makes codes of a secret, without waiting for the clock: there are three that count at any time. */
export interface AuthenticatorApp {
  readonly secret: string
  /** A code that has not been given yet, and counts now. */
  next(): Promise<string>
  /** One that does not count, whatever time it is. */
  wrong(): string
}

export function createApp(secret: string): AuthenticatorApp {
  let last = -1
  const at = (step: number): string => generateSync({ secret, epoch: step * stepSeconds })
  const now = (): number => Date.now() / 1000
  return {
    secret,
    async next() {
      const step = Math.max(last + 1, Math.floor((now() + marginSeconds) / stepSeconds) - 1)
      await until('a code that counts', () => step <= Math.floor(now() / stepSeconds) + 1)
      last = step
      return at(step)
    },
    wrong() {
      const present = Math.floor(now() / stepSeconds)
      const near = new Set([-4, -3, -2, -1, 0, 1, 2, 3, 4].map((offset) => at(present + offset)))
      const codes = Array.from({ length: near.size + 1 }, (_, n) => String(n).padStart(6, '0'))
      return codes.find((code) => !near.has(code)) as string
    },
  }
}

/** Limits that no test reaches unawares. */
export const generous = {
  perAccount: { points: 1_000, windowSeconds: 900 },
  perAddress: { points: 10_000, windowSeconds: 900 },
}

export interface TwoFactorPanelOptions extends Partial<PanelOptions> {
  readonly twoFactor?: Parameters<typeof twoFactor>[0]
}

/** A panel with two-factor sign-in and an administrator. */
export function startTwoFactorPanel(t: Test, options: TwoFactorPanelOptions = {}): Promise<Panel> {
  const { twoFactor: config = { attempts: generous }, strategies = [], ...rest } = options
  const relaxed: Parameters<typeof session>[0] = { attempts: generous }
  return startPanel(t, {
    users: directory({ firstAdministrator: admin }),
    session: relaxed,
    ...rest,
    strategies: [twoFactor(config), ...strategies],
  })
}

/** Asks the panel's database. */
export function sql(panel: Panel, statement: string): Promise<Record<string, unknown>[]> {
  return panel.kernel.get(Database).sequelize.query(statement, { type: QueryTypes.SELECT })
}

export interface Credentials {
  readonly email: string
  readonly password: string
}

export const login = (call: Call, { email, password }: Credentials): Promise<Answer> =>
  call('POST', '/api/auth/login', { body: { email, password } })

/** Somebody with a second factor. */
export interface Enrolled extends Credentials {
  readonly id: string
  readonly app: AuthenticatorApp
  readonly recoveryCodes: readonly string[]
  /** Of the session in which it was turned on. */
  readonly token: string
  /** The code that turned it on. */
  readonly first: string
}

/** Signs in by the password alone and turns two-factor sign-in on. */
export async function enrol(call: Call, credentials: Credentials): Promise<Enrolled> {
  const { body } = await login(call, credentials)
  const { token, user } = body
  const setup = await call('GET', '/api/auth/2fa/setup', { token })
  const app = createApp(setup.body.secret)
  const first = await app.next()
  const verified = await call('POST', '/api/auth/2fa/verify', { token, body: { token: first } })
  if (verified.status !== 200) throw new Error(`verify: ${verified.status} ${JSON.stringify(verified.body)}`)
  return { ...credentials, id: user.id, app, recoveryCodes: verified.body.recoveryCodes, token, first }
}

/** The tempToken of a sign-in with the right password. */
export async function tempTokenOf(call: Call, credentials: Credentials): Promise<string> {
  const { body } = await login(call, credentials)
  if (!body.twoFactorRequired) throw new Error(`no second factor is asked for: ${JSON.stringify(body)}`)
  return body.tempToken
}

export const verifyLogin = (call: Call, body: Readonly<Record<string, unknown>>): Promise<Answer> =>
  call('POST', '/api/auth/2fa/verify-login', { body })

/** Makes users, each another. */
export function userMaker(panel: Panel): (permissions?: readonly string[]) => Promise<Credentials & { id: string }> {
  let count = 0
  let token: Promise<string> | undefined
  return async (permissions = []) => {
    token ??= login(panel.call, admin).then(({ body }) => body.token as string)
    count += 1
    const body = { email: `user${count}@localhost`, password: `password of user ${count}` }
    const answer = await panel.call('POST', '/api/users', { token: await token, body: { ...body, permissions } })
    if (answer.status !== 201) throw new Error(`a user could not be made: ${JSON.stringify(answer.body)}`)
    return { ...body, id: answer.body.user.id }
  }
}
