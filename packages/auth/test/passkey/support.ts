import { Database, defineEvent, Events, type Plugin } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import type { Test } from 'tap'
import type { EndedCredentials } from '../../dist/credential-cache.js'
import { directory, passkey } from '../../dist/index.js'
import type { Answer, Call } from '../support/client.js'
import { type Panel, type PanelOptions, startPanel } from '../support/panel.js'
import {
  createSoftwareAuthenticator,
  type Deviations,
  type RequestOptions,
  type SoftwareAuthenticator,
} from '../support/software-authenticator.js'

export const password = 'correct horse battery'

/** Limits that no test reaches by chance. */
export const plenty = { points: 100_000, windowSeconds: 900 }

export interface Person {
  readonly id: string
  readonly email: string
  /** Of a session that was begun by password just now. */
  readonly token: string
}

export interface PasskeyPanel extends Panel {
  readonly admin: Person
  /** Adds a user and signs them in by password. */
  person(email: string): Promise<Person>
  login(email: string): Promise<string>
  authenticator(options?: Omit<Parameters<typeof createSoftwareAuthenticator>[0], 'origin'>): SoftwareAuthenticator
  rows(sql: string): Promise<Record<string, unknown>[]>
  /** As if the session of `token` had been begun an hour ago. */
  age(token: string): Promise<void>
}

interface Options extends Omit<PanelOptions, 'users'> {
  readonly passkey?: Parameters<typeof passkey>[0]
  readonly strategies?: readonly Plugin[]
}

/** A panel with passkeys and an administrator. */
export async function startPasskeyPanel(t: Test, options: Options = {}): Promise<PasskeyPanel> {
  const email = 'Admin@localhost'
  const config = { attemptsPerAddress: plenty, challengesPerAddress: plenty, ...options.passkey }
  const panel = await startPanel(t, {
    ...options,
    session: { attempts: { perAccount: plenty, perAddress: plenty } },
    strategies: [passkey(config), ...(options.strategies ?? [])],
    users: directory({ firstAdministrator: { email, password } }),
  })
  const { kernel, call } = panel
  const begin = async (address: string): Promise<Person> => {
    const { body } = await call('POST', '/api/auth/login', { body: { email: address, password } })
    return { id: body.user.id, email: body.user.email, token: body.token }
  }
  const rows = (sql: string): Promise<Record<string, unknown>[]> =>
    kernel.get(Database).sequelize.query(sql, { type: QueryTypes.SELECT })
  const admin = await begin(email)
  return {
    ...panel,
    admin,
    async person(address) {
      await call('POST', '/api/users', { token: admin.token, body: { email: address, password } })
      return begin(address)
    },
    login: async (address) => (await begin(address)).token,
    authenticator: (given) => createSoftwareAuthenticator({ ...given, origin: config.origins?.[0] ?? panel.origin }),
    rows,
    async age(token) {
      const { id } = (await call('GET', '/api/auth/session', { token })).body.session
      await rows(
        `UPDATE auth_sessions SET authenticated_at = now() - interval '1 hour' WHERE id = '${id}' RETURNING id`,
      )
      await kernel.get(Events).emit(defineEvent<EndedCredentials>('auth.sessions.ended'), { ids: [id] })
    },
  }
}

interface Registering {
  readonly token: string
  readonly name?: string
  readonly deviations?: Deviations
}

/** Registers a new passkey of the authenticator. */
export async function register(call: Call, authenticator: SoftwareAuthenticator, given: Registering): Promise<Answer> {
  const { token, name, deviations } = given
  const { body: options } = await call('GET', '/api/auth/passkey/register-challenge', { token })
  const response = authenticator.create(options, deviations)
  return call('POST', '/api/auth/passkey/register', { token, body: { response, ...(name !== undefined && { name }) } })
}

/** Options to sign in by, of `email` or anyone. */
export async function challenge(call: Call, email?: string): Promise<RequestOptions> {
  const body = email === undefined ? {} : { email }
  return (await call('POST', '/api/auth/passkey/authenticate-challenge', { body })).body
}

interface SigningIn {
  readonly email?: string
  readonly deviations?: Parameters<SoftwareAuthenticator['get']>[1]
}

/** Signs in by a passkey of the authenticator. */
export async function signIn(call: Call, authenticator: SoftwareAuthenticator, given: SigningIn = {}): Promise<Answer> {
  const response = authenticator.get(await challenge(call, given.email), given.deviations)
  return call('POST', '/api/auth/passkey/authenticate', { body: { response } })
}
