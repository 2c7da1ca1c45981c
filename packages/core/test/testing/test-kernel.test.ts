import t from 'tap'
import {
  coreErrors,
  Database,
  type DirectoryChange,
  type DirectoryUser,
  definePlugin,
  Keyring,
  type UserDirectory,
} from '../../dist/index.js'
import {
  authenticationStrategyContract,
  createTestKernel,
  createTestLogger,
  userDirectoryContract,
} from '../../dist/testing/index.js'
import { start } from '../http/support.js'

t.test('starts a kernel and asks it, with a network and without', async (t) => {
  await using panel = await start((http) => {
    http.route({
      method: 'POST',
      url: '/echo',
      access: 'public',
      summary: 's',
      tag: 't',
      handler: ({ body }) => ({ body }),
    })
  })
  t.match(panel.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.same(await (await panel.fetch('/echo', { json: { a: 1 } })).json(), { body: { a: 1 } })
  t.same((await panel.inject({ method: 'POST', url: '/echo', payload: { a: 1 } })).json(), { body: { a: 1 } })
  await panel.stop()
  t.equal(panel.kernel.state, 'stopped')
})

t.test('starts nothing that nobody needs', async (t) => {
  const plain = definePlugin({ name: 'plain', version: '1.0.0', setup: () => undefined })
  await using panel = await createTestKernel({ plugins: [plain()], http: false })
  t.equal(panel.url, '')
  t.same(
    panel.kernel.plugins.map(({ name }) => name),
    ['plain'],
  )
})

t.test('keeps its database in memory, and only when one is needed', async (t) => {
  const needy = definePlugin({
    name: 'needy',
    version: '1.0.0',
    requires: { database: Database, keyring: Keyring },
    setup: () => undefined,
  })
  await using panel = await createTestKernel({ plugins: [needy()], http: false })
  const [rows] = await panel.get(Database).sequelize.query('SELECT 1 AS one')
  t.same(rows, [{ one: 1 }])
  t.equal(panel.get(Database).kind, 'embedded')
})

t.test('keeps what was logged, as it would have been printed', async (t) => {
  const log = createTestLogger()
  log.logger.child({ plugin: 'x' }).info({ password: 'hunter2', a: 1 }, 'hello')
  log.logger.error({ err: Object.assign(new Error('failed'), { parameters: ['hunter2'] }) })
  t.match(log.lines[0], { level: 30, msg: 'hello', plugin: 'x', a: 1, password: '[secret]' })
  t.match(log.lines[1], { level: 50, err: { message: 'failed', type: 'Error' } })
  t.notMatch(log.text, 'hunter2')
})

const user: DirectoryUser = {
  id: '7',
  email: 'Ada@Example.org',
  name: 'Ada',
  permissions: ['servers:*'],
  memberships: [],
  suspended: false,
}

function directory(broken: Partial<UserDirectory> = {}) {
  let present = user
  const handlers = new Set<(change: DirectoryChange) => void>()
  const same = (email: string): boolean => email.toLowerCase() === user.email.toLowerCase()
  return {
    directory: {
      findById: async (id: string) => (id === user.id ? present : undefined),
      findByEmail: async (email: string) => (same(email) ? present : undefined),
      verifyPassword: async (email: string, password: string) =>
        same(email) && password === 'right password' ? present : undefined,
      onChange(handler: (change: DirectoryChange) => void) {
        handlers.add(handler)
        return () => void handlers.delete(handler)
      },
      ...broken,
    },
    email: user.email,
    password: 'right password',
    async suspend(userId: string) {
      present = { ...present, suspended: true }
      for (const handler of handlers) handler({ userId, change: 'suspended' })
    },
  }
}

t.test('has a contract that a good directory keeps', async (t) => {
  userDirectoryContract({ test: (name, body) => void t.test(name, body) }, async () => directory())
})

t.test('has a contract that a bad directory breaks', async (t) => {
  const failed = await failures((runner) =>
    userDirectoryContract(runner, async () =>
      directory({ verifyPassword: async () => user, findById: async () => user }),
    ),
  )
  t.ok(failed.some((name) => name.includes('verifies the right password')))
  t.ok(failed.some((name) => name.includes('unknown e-mail or id')))
  t.notOk(failed.some((name) => name.includes('by case')))
})

function strategy(token: string) {
  let revoked = false
  return {
    strategy: {
      name: 'token',
      schemes: ['Bearer'],
      authenticate({ headers }: { headers: Readonly<Record<string, string | string[] | undefined>> }) {
        const value = String(headers['authorization'] ?? '')
        if (!value.startsWith('Bearer token-')) return { kind: 'absent' } as const
        if (value !== `Bearer ${token}` || revoked)
          return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() } as const
        const principal = {
          kind: 'user',
          id: '1',
          userId: '1',
          permissions: [],
          memberships: [],
          strategy: 'token',
        } as const
        return { kind: 'authenticated', principal } as const
      },
    },
    valid: { headers: { authorization: `Bearer ${token}` } },
    invalid: [{ headers: { authorization: 'Bearer token-forged' } }],
    foreign: [{ headers: { authorization: 'Bearer other' } }],
    async revoke() {
      revoked = true
    },
  }
}

t.test('has a contract that a good strategy keeps', async (t) => {
  authenticationStrategyContract({ test: (name, body) => void t.test(name, body) }, async () => strategy('token-1'))
})

t.test('has a contract that a bad strategy breaks', async (t) => {
  const failed = await failures((runner) =>
    authenticationStrategyContract(runner, async () => ({ ...strategy('token-1'), revoke: async () => undefined })),
  )
  t.same(failed, ['authentication strategy: refuses a credential from the moment it is revoked'])
})

/** Names of the tests of a suite that fail. */
async function failures(
  suite: (runner: { test(name: string, body: () => Promise<void>): void }) => void,
): Promise<string[]> {
  const running: Promise<string | undefined>[] = []
  suite({
    test(name, body) {
      running.push(
        body().then(
          () => undefined,
          () => name,
        ),
      )
    },
  })
  return (await Promise.all(running)).filter((name) => name !== undefined)
}
