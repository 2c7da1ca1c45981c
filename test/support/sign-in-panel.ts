import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TestPostgres, TestRedis } from '@sallyport/core/testing'
import type { Test } from 'tap'
import { adminPassword, type Panel, panelEnvironment, startPanel, temporaryDirectory } from './panel.js'
import { type Carried, type Reply, rawClient, type Send } from './raw-client.js'
import { postgresServer, redisServer } from './real-servers.js'
import { previousTotp } from './totp.js'

export const secretKey = 'a secret key of forty characters or more'
export const adminEmail = 'admin@localhost'

export interface Person {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly token: string
}

export interface TwoFactorPerson extends Person {
  readonly secret: string
  readonly recoveryCodes: readonly string[]
}

/** A panel with people, whose requests come from any address that they name. */
export interface SignInPanel extends Panel {
  /** What the panel takes for its own, by configuration. */
  readonly origin: string
  readonly send: Send
  readonly admin: Person
  /** An address that nobody has had so far. */
  newIp(): string
  /** Fails unless the answer is a success. */
  ok(method: string, path: string, carried?: Carried): Promise<Reply>
  newPerson(permissions?: readonly string[]): Promise<Person>
  login(email: string, password: string, ip?: string): Promise<Reply>
  /** A session more. */
  newSession(person: Person): Promise<string>
  /** Somebody whose second factor is on; the codes of the present step and of the next are unused. */
  newTwoFactorPerson(permissions?: readonly string[]): Promise<TwoFactorPerson>
  /** A temporary token of somebody whose second factor is on. */
  tempToken(person: Person): Promise<string>
  /** A key of the person's, with these permissions. */
  newKey(person: Person, fields?: Readonly<Record<string, unknown>>): Promise<{ id: string; key: string }>
}

/** Starts the reference server, believing what the test says of addresses. */
export async function startSignInPanel(t: Test, env: Readonly<Record<string, string>> = {}): Promise<SignInPanel> {
  const directory = await temporaryDirectory(t)
  const panel = await startPanel(
    t,
    panelEnvironment(join(directory, 'data'), {
      SECRET_KEYS: secretKey,
      TRUSTED_PROXIES: '127.0.0.1/32',
      RELAY_EMBEDDED: 'false',
      ...env,
    }),
  )
  const origin = env['PUBLIC_URL'] ?? panel.url
  return { ...panel, origin, ...(await signInPanelAt(panel.url)) }
}

export interface TwoPanels {
  readonly panels: readonly [SignInPanel, SignInPanel]
  readonly redis: TestRedis
  readonly postgres: TestPostgres
}

/** Two processes of the reference server on one Postgres and one Redis, with the same people. */
export async function startTwoPanels(t: Test, env: Readonly<Record<string, string>> = {}): Promise<TwoPanels> {
  const [postgres, redis] = [await postgresServer(t), await redisServer(t)]
  const common = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PUBLIC_URL: 'https://panel.example.com', ...env }
  const panels = [await startSignInPanel(t, common), await startSignInPanel(t, common)] as const
  return { panels, redis, postgres }
}

export type People = Omit<SignInPanel, keyof Panel | 'origin'>

/** Signs in as the first administrator. */
export async function signInPanelAt(url: string): Promise<People> {
  const send = rawClient(url)
  // Another for each process that drives the same database.
  const network = `10.${randomBytes(2).join('.')}`
  let addresses = 0
  let people = 0
  const newIp = (): string => {
    addresses += 1
    if (addresses > 250) {
      return `fd${randomBytes(1).toString('hex')}:${(randomBytes(6).toString('hex').match(/.{4}/g) ?? []).join(':')}::1`
    }
    return `${network}.${addresses}`
  }
  const ok: SignInPanel['ok'] = async (method, path, carried) => {
    const reply = await send(method, path, { ip: newIp(), ...carried })
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`)
    return reply
  }
  const login: SignInPanel['login'] = (email, password, ip = newIp()) =>
    send('POST', '/api/auth/login', { ip, body: { email, password } })
  const signIn = async (email: string, password: string): Promise<Person> => {
    const { body, status, text } = await login(email, password)
    if (status !== 200 || !body.token) throw new Error(`login of ${email}: ${status} ${text}`)
    return { id: body.user.id, email, password, token: body.token }
  }
  const admin = await signIn(adminEmail, adminPassword)
  const newPerson: SignInPanel['newPerson'] = async (permissions = []) => {
    people += 1
    const email = `person-${randomBytes(4).toString('hex')}-${people}@example.com`
    const password = `password of ${email}`
    await ok('POST', '/api/users', { bearer: admin.token, body: { email, password, permissions } })
    return signIn(email, password)
  }

  return {
    send,
    admin,
    newIp,
    ok,
    login,
    newPerson,
    newSession: async ({ email, password }) => (await signIn(email, password)).token,
    async newTwoFactorPerson(permissions) {
      const person = await newPerson(permissions)
      const { body: setup } = await ok('GET', '/api/auth/2fa/setup', { bearer: person.token })
      const body = { token: await previousTotp(setup.secret) }
      const { body: verified } = await ok('POST', '/api/auth/2fa/verify', { bearer: person.token, body })
      return { ...person, secret: setup.secret, recoveryCodes: verified.recoveryCodes }
    },
    async tempToken({ email, password }) {
      const { body, text } = await login(email, password)
      if (!body?.tempToken) throw new Error(`no second factor was asked for: ${text}`)
      return body.tempToken
    },
    async newKey(person, fields = {}) {
      const body = { name: 'test', type: 'client', permissions: [], ...fields }
      const { body: made } = await ok('POST', '/api/apikeys', { bearer: person.token, body })
      return { id: made.id, key: made.apiKey }
    },
  }
}
