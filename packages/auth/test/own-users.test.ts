import { type DirectoryChange, type DirectoryUser, isSallyportError, UserDirectory } from '@sallyport/core'
import { missingRedis, skipWithout, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { startPanel } from './support/panel.js'
import { until } from './support/until.js'

const passwords = new Map([
  ['ada@example.org', 'analytical engine'],
  ['bob@example.org', 'another password'],
])

/** A host's users: ids are numbers, there is no change of password and no stamp. */
function hostUsers(): { directory: UserDirectory; suspend: (email: string) => Promise<void> } {
  const handlers = new Set<Parameters<UserDirectory['onChange']>[0]>()
  const users = new Map<string, DirectoryUser>()
  for (const [index, email] of [...passwords.keys()].entries()) {
    users.set(email, { id: String(index + 1), email, name: null, permissions: [], memberships: [], suspended: false })
  }
  const directory: UserDirectory = {
    findById: async (id) => [...users.values()].find((user) => user.id === id),
    findByEmail: async (email) => users.get(email.toLowerCase()),
    verifyPassword: async (email, password) => {
      const user = users.get(email.toLowerCase())
      return user && passwords.get(user.email) === password ? user : undefined
    },
    onChange: (handler) => {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
  }
  const suspend = async (email: string): Promise<void> => {
    const user = users.get(email)
    if (!user) return
    for (const handler of handlers) await handler({ userId: user.id, change: 'suspended' })
  }
  return { directory, suspend }
}

t.test("a panel on the host's own users, reached by https", async (t) => {
  const { directory, suspend } = hostUsers()
  const { call } = await startPanel(t, {
    users: directory,
    publicUrl: 'https://panel.example',
    session: { attempts: { perAccount: { points: 3 }, perAddress: { points: 12 } } },
  })
  const login = (email: string, password: string, headers: Record<string, string> = {}) =>
    call('POST', '/api/auth/login', { body: { email, password }, headers })

  t.test('signs in with ids of the host, and a cookie for https only', async (t) => {
    const { status, body, cookies } = await login('Ada@example.org', 'analytical engine')
    t.equal(status, 200)
    t.equal(body.user.id, '1')
    t.match(cookies[0], /; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/)
    t.equal((await call('GET', '/api/auth/session', { token: body.token })).body.user.id, '1')
    const own = { cookie: body.token, headers: { origin: 'https://panel.example' } }
    t.equal((await call('DELETE', '/api/auth/sessions', own)).status, 200)
    const foreign = { cookie: body.token, headers: { origin: 'http://panel.example' } }
    t.equal((await call('DELETE', '/api/auth/sessions', foreign)).status, 403)
    const { cookies: cleared } = await call('POST', '/api/auth/logout', own)
    t.match(cleared[0], /^session=; Path=\/; Max-Age=0; HttpOnly; Secure; SameSite=Lax$/)
  })

  t.test('has no routes for what the host keeps to itself', async (t) => {
    const { token } = (await login('ada@example.org', 'analytical engine')).body
    t.equal((await call('GET', '/api/users', { token })).status, 404)
    t.equal((await call('POST', '/api/auth/password', { token, body: {} })).status, 404)
  })

  t.test('ends sessions when the host tells of a suspension', async (t) => {
    const { token } = (await login('ada@example.org', 'analytical engine')).body
    await suspend('ada@example.org')
    t.equal((await call('GET', '/api/auth/session', { token })).status, 401)
  })

  // Last, since it leaves the address throttled.
  t.test('throttles by account, then by address, known or not, the right password too', async (t) => {
    for (let round = 0; round < 6; round += 1) {
      t.equal((await login('bob@example.org', 'another password')).status, 200, 'right ones are not counted')
    }
    const spoofed = (): Record<string, string> => ({ 'x-forwarded-for': `192.0.2.${Math.floor(Math.random() * 250)}` })
    for (const email of ['bob@example.org', 'nobody@example.org']) {
      for (let round = 0; round < 3; round += 1) {
        t.equal((await login(email, 'wrong', spoofed())).status, 401)
      }
      const throttled = await login(email.toUpperCase(), 'another password', spoofed())
      t.equal(throttled.status, 429, `${email}: the right password too`)
      t.equal(throttled.body.error, 'too_many_attempts')
      const seconds = Number(throttled.headers['retry-after'])
      t.ok(seconds > 0 && seconds <= 900)
    }
    const statuses: number[] = []
    for (let round = 0; round < 8; round += 1)
      statuses.push((await login(`x${round}@example.org`, 'wrong', spoofed())).status)
    t.equal(statuses.at(-1), 429)
    t.ok(statuses.includes(401))
    t.equal((await login('ada@example.org', 'analytical engine', spoofed())).status, 429, 'an account never tried')
  })
})

t.test('a host that gives users twice is told who does', async (t) => {
  const { auth, directory, session } = await import('../dist/index.js')
  const { createKernel } = await import('@sallyport/core')
  const plugins = [...auth({ strategies: [session()], users: hostUsers().directory }), directory()]
  const error = t.throws(() => createKernel({ plugins }))
  t.ok(isSallyportError(error) && error.code === 'CORE_ERR_SERVICE_DUPLICATE')
})

t.test('what a host tells one instance is heard by all', { skip: skipWithout('Redis', missingRedis()) }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server[Symbol.asyncDispose]())
  const { directory, suspend } = hostUsers()
  // The second has users of its own, whom nobody tells anything.
  const first = await startPanel(t, { users: directory, redisUrl: server.url })
  const second = await startPanel(t, { users: hostUsers().directory, redisUrl: server.url })
  const heard: DirectoryChange[] = []
  second.kernel.get(UserDirectory).onChange((change) => void heard.push(change))
  t.not(first.kernel.get(UserDirectory), directory)
  await suspend('ada@example.org')
  await until('the second instance hears it', () => heard.length > 0)
  t.same(heard, [{ userId: '1', change: 'suspended' }])
})

t.test('a directory that is an object of a class keeps working as one', async (t) => {
  class Users implements UserDirectory {
    readonly #directory = hostUsers().directory
    findById(id: string) {
      return this.#directory.findById(id)
    }
    findByEmail(email: string) {
      return this.#directory.findByEmail(email)
    }
    verifyPassword(email: string, password: string) {
      return this.#directory.verifyPassword(email, password)
    }
    changePassword(id: string) {
      return this.#directory.findById(id)
    }
    async findOrganisation(id: string) {
      return (await this.#directory.findById(id)) && { id, name: 'Guild' }
    }
    onChange(handler: Parameters<UserDirectory['onChange']>[0]) {
      return this.#directory.onChange(handler)
    }
  }
  const { kernel, call } = await startPanel(t, { users: new Users() })
  const users = kernel.get(UserDirectory)
  t.equal((await users.findByEmail('ada@example.org'))?.id, '1')
  t.equal((await users.findById('1'))?.id, '1')
  t.equal((await users.changePassword?.('1', 'x'))?.id, '1')
  t.same(await users.findOrganisation?.('1'), { id: '1', name: 'Guild' })
  const body = { email: 'ada@example.org', password: 'analytical engine' }
  t.equal((await call('POST', '/api/auth/login', { body })).status, 200)
})
