import { http } from '@sallyport/core'
import type { Test } from 'tap'
import { apiKey, directory } from '../../dist/index.js'
import type { Answer, Call } from '../support/client.js'
import { type Panel, type PanelOptions, startPanel } from '../support/panel.js'

export const administrator = { email: 'admin@localhost', password: 'correct horse battery' }

export interface Person {
  readonly id: string
  /** Of a session that is freshly authenticated. */
  readonly token: string
}

export interface KeyPanel extends Panel {
  readonly admin: Person
  /** Makes a user who is signed in. */
  addUser(permissions?: readonly string[]): Promise<Person>
  /** Changes a user as the administrator. */
  changeUser(id: string, change: object): Promise<Answer>
  createKey(by: By, body?: object): Promise<Answer>
  /** The same, of a key that must come about; gives it. */
  newKey(by: By, body?: object): Promise<NewKey>
  /** The status of a request with a key. */
  statusOf(key: string, ip?: string): Promise<number>
  /** What the panel says of who makes a request with a key. */
  whoIs(key: string): Promise<{ kind: string; id: string; permissions: string[] }>
}

export interface NewKey {
  readonly id: string
  readonly key: string
}

/** Who makes a request: a session's token, or a key. */
export type By = { readonly token: string } | { readonly key: string }

const manyTries = { perAccount: { points: 10_000 }, perAddress: { points: 10_000 } }
let users = 0

/** A panel with API keys on the built-in directory, behind a proxy that it believes. */
export async function startKeyPanel(
  t: Test,
  options: Partial<PanelOptions> & { max?: number } = {},
): Promise<KeyPanel> {
  const { max = 100, ...rest } = options
  const panel = await startPanel(t, {
    users: directory({ firstAdministrator: administrator }),
    session: { attempts: manyTries },
    strategies: [apiKey({ maxKeysPerUser: max })],
    plugins: [http({ trustedProxies: ['127.0.0.1'] })],
    ...rest,
  })
  return withKeys(panel)
}

export async function withKeys(panel: Panel): Promise<KeyPanel> {
  const { call } = panel
  const signIn = async (credentials: object): Promise<Person> => {
    const { body } = await call('POST', '/api/auth/login', { body: credentials })
    return { id: body.user.id, token: body.token }
  }
  const admin = await signIn(administrator)
  const createKey = (by: By, body: object = {}): Promise<Answer> =>
    as(call, by)('POST', '/api/apikeys', { name: 'a key', type: 'client', ...body })

  return {
    ...panel,
    admin,
    async addUser(permissions = []) {
      users += 1
      const credentials = { email: `user-${users}@example.com`, password: 'long enough' }
      const { status } = await call('POST', '/api/users', {
        token: admin.token,
        body: { ...credentials, permissions },
      })
      if (status !== 201) throw new Error(`no user was made: ${status}`)
      return signIn(credentials)
    },
    changeUser: (id, change) => call('PATCH', `/api/users/${id}`, { token: admin.token, body: change }),
    createKey,
    async newKey(by, body) {
      const answer = await createKey(by, body)
      if (answer.status !== 201) throw new Error(`no key was made: ${answer.status} ${JSON.stringify(answer.body)}`)
      return { id: answer.body.id, key: answer.body.apiKey }
    },
    statusOf: async (key, ip) => (await call('GET', '/api/auth/session', { headers: carry(key, ip) })).status,
    whoIs: async (key) => (await call('GET', '/api/auth/session', { headers: carry(key) })).body.authentication,
  }
}

/** Makes requests as somebody. */
export function as(call: Call, by: By) {
  return (method: string, path: string, body?: object): Promise<Answer> =>
    call(method, path, {
      ...('token' in by ? { token: by.token } : { headers: carry(by.key) }),
      ...(body !== undefined && { body }),
    })
}

export function carry(key: string, ip?: string): Record<string, string> {
  return { 'x-api-key': key, ...(ip !== undefined && { 'x-forwarded-for': ip }) }
}

/** A time so many seconds from now. */
export function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString()
}
