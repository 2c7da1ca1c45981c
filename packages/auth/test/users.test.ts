import { randomUUID } from 'node:crypto'
import { Database, type DirectoryChange, UserDirectory } from '@sallyport/core'
import t from 'tap'
import { directory } from '../dist/index.js'
import { startPanel } from './support/panel.js'

const admin = { email: 'admin@localhost', password: 'correct horse battery' }
let counter = 0

t.test('users', async (t) => {
  const { kernel, call, audited } = await startPanel(t, { users: directory({ firstAdministrator: admin }) })
  const login = async ({ email, password }: { email: string; password: string }): Promise<string> =>
    (await call('POST', '/api/auth/login', { body: { email, password } })).body.token
  const token = await login(admin)
  const adminId: string = (await call('GET', '/api/auth/session', { token })).body.user.id
  const changes: DirectoryChange[] = []
  kernel.get(UserDirectory).onChange((change) => void changes.push(change))

  const create = async (permissions: string[] = []) => {
    counter += 1
    const credentials = { email: `user-${counter}@example.org`, password: `password ${counter}` }
    const { status, body } = await call('POST', '/api/users', { token, body: { ...credentials, permissions } })
    t.equal(status, 201)
    return { ...credentials, id: body.user.id as string, token: await login(credentials) }
  }
  const statusOf = async (credential: string): Promise<number> =>
    (await call('GET', '/api/auth/session', { token: credential })).status

  t.test('are made, listed, shown, changed and deleted', async (t) => {
    const body = { email: 'Ada@Example.org', password: 'analytical engine', name: 'Ada', permissions: ['servers:read'] }
    const made = await call('POST', '/api/users', { token, body })
    t.equal(made.status, 201)
    const { user } = made.body
    t.match(user, { email: 'Ada@Example.org', name: 'Ada', permissions: ['servers:read'], suspended: false })
    t.same(
      Object.keys(user).sort(),
      ['createdAt', 'email', 'id', 'name', 'permissions', 'quotas', 'suspended', 'updatedAt'],
      'no hash, no stamp',
    )
    t.same((await call('GET', `/api/users/${user.id}`, { token })).body, { user })
    const list = (await call('GET', '/api/users', { token })).body
    t.ok(list.users.some((entry: { id: string }) => entry.id === user.id))
    t.equal(list.total, list.users.length)
    t.equal((await call('GET', '/api/users?limit=1&offset=1', { token })).body.users.length, 1)
    const patch = { email: 'ada@example.com', name: null, permissions: [] }
    const changed = await call('PATCH', `/api/users/${user.id}`, { token, body: patch })
    t.equal(changed.status, 200)
    t.match(changed.body.user, patch)
    t.equal(await statusOf(await login({ email: 'ada@example.com', password: body.password })), 200)
    t.same((await call('DELETE', `/api/users/${user.id}`, { token })).body, { success: true })
    t.equal((await call('GET', `/api/users/${user.id}`, { token })).status, 404)
    t.equal((await call('DELETE', `/api/users/${user.id}`, { token })).status, 404)
    t.equal(
      (await call('POST', '/api/auth/login', { body: { email: patch.email, password: body.password } })).status,
      401,
    )
  })

  t.test('have one e-mail address each, whatever its case or form', async (t) => {
    const one = await create()
    for (const email of [one.email.toUpperCase(), one.email.replace('user', 'ｕser')]) {
      const { status, body } = await call('POST', '/api/users', { token, body: { email, password: 'password' } })
      t.equal(status, 409)
      t.equal(body.error, 'email_taken')
    }
    const other = await create()
    t.equal((await call('PATCH', `/api/users/${other.id}`, { token, body: { email: one.email } })).status, 409)
  })

  t.test('of parallel requests for one address, one wins', async (t) => {
    const body = { email: 'race@example.org', password: 'password' }
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/api/users', { token, body })))
    t.same(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 7 }, () => 409)])
  })

  t.test('need permissions to be seen and changed', async (t) => {
    const nobody = await create()
    const reader = await create(['users:read'])
    const path = `/api/users/${nobody.id}`
    t.equal((await call('GET', '/api/users')).status, 401)
    t.equal((await call('GET', '/api/users', { token: nobody.token })).status, 403)
    t.equal((await call('GET', path, { token: nobody.token })).status, 403)
    t.equal((await call('GET', path, { token: reader.token })).status, 200)
    t.equal((await call('PATCH', path, { token: reader.token, body: { name: 'x' } })).status, 403)
    t.equal((await call('DELETE', path, { token: reader.token })).status, 403)
    t.equal((await call('POST', '/api/users', { token: reader.token, body: admin })).status, 403)
  })

  t.test('nobody grants what they do not hold, nor takes over a holder of more', async (t) => {
    const manager = await create(['users:*', 'servers:read'])
    const peer = await create(['servers:read'])
    const stronger = await create(['servers:write'])
    const as = { token: manager.token }
    for (const permissions of [['*'], ['servers:*'], ['servers:write'], ['servers'], ['servers:read', 'nodes:read']]) {
      const body = { email: 'granted@example.org', password: 'password', permissions }
      t.equal((await call('POST', '/api/users', { ...as, body })).status, 403, permissions.join())
      for (const id of [peer.id, manager.id]) {
        t.equal((await call('PATCH', `/api/users/${id}`, { ...as, body: { permissions } })).status, 403)
      }
    }
    for (const id of [stronger.id, adminId]) {
      for (const body of [
        { password: 'taken over' },
        { email: 'mine@example.org' },
        { suspended: true },
        { permissions: [] },
      ]) {
        const answer = await call('PATCH', `/api/users/${id}`, { ...as, body })
        t.equal(answer.status, 403)
        t.equal(answer.body.error, 'forbidden')
      }
      t.equal((await call('DELETE', `/api/users/${id}`, as)).status, 403)
    }
    t.equal(
      (await call('PATCH', `/api/users/${peer.id}`, { ...as, body: { permissions: ['users:read'] } })).status,
      200,
    )
    t.same((await call('GET', '/api/auth/session', { token: peer.token })).body.authentication.permissions, [
      'users:read',
    ])
    t.equal(await statusOf(token), 200)
  })

  t.test('a suspension ends every session, for good', async (t) => {
    const user = await create()
    const second = await login(user)
    const patch = (body: unknown) => call('PATCH', `/api/users/${user.id}`, { token, body })
    t.equal((await patch({ suspended: true })).body.user.suspended, true)
    for (const ended of [user.token, second]) t.equal(await statusOf(ended), 401)
    const refused = await call('POST', '/api/auth/login', { body: { email: user.email, password: user.password } })
    const wrong = await call('POST', '/api/auth/login', { body: { email: user.email, password: 'wrong password' } })
    t.equal(refused.status, 401)
    t.same({ ...refused.body, requestId: '' }, { ...wrong.body, requestId: '' }, 'it does not tell')
    t.equal((await patch({ suspended: false })).body.user.suspended, false)
    for (const ended of [user.token, second]) t.equal(await statusOf(ended), 401)
    t.equal(await statusOf(await login(user)), 200)
    t.ok(changes.some(({ userId, change }) => userId === user.id && change === 'suspended'))
  })

  t.test('a suspension voids what acts for a user, a new password does not', async (t) => {
    const user = await create()
    const stamps = async () => {
      const found = await kernel.get(UserDirectory).findById(user.id)
      return [found?.securityStamp, found?.accessStamp]
    }
    const patch = (body: unknown) => call('PATCH', `/api/users/${user.id}`, { token, body })
    const [security, access] = await stamps()
    t.ok(security && access)
    await patch({ name: 'Still the same' })
    t.same(await stamps(), [security, access])
    await patch({ password: 'set by another' })
    const [newSecurity, sameAccess] = await stamps()
    t.not(newSecurity, security)
    t.equal(sameAccess, access)
    await patch({ suspended: true })
    const [suspendedSecurity, suspendedAccess] = await stamps()
    t.not(suspendedSecurity, newSecurity)
    t.not(suspendedAccess, access)
    await patch({ suspended: false })
    t.same(await stamps(), [suspendedSecurity, suspendedAccess], 'for good')
  })

  t.test('an id in capitals is the same user, whose sessions end all the same', async (t) => {
    const [suspended, deleted] = [await create(), await create()]
    const body = { suspended: true }
    t.equal(
      (await call('PATCH', `/api/users/${suspended.id.toUpperCase()}`, { token, body })).body.user.id,
      suspended.id,
    )
    t.equal((await call('DELETE', `/api/users/${deleted.id.toUpperCase()}`, { token })).status, 200)
    for (const { id, token: ended } of [suspended, deleted]) {
      t.equal(await statusOf(ended), 401)
      t.ok(
        changes.some(({ userId }) => userId === id),
        'told under the id that everyone knows',
      )
    }
  })

  t.test('have quotas of their own, merged', async (t) => {
    const user = await create()
    const set = async (quotas: unknown) =>
      (await call('PATCH', `/api/users/${user.id}`, { token, body: { quotas } })).body.user.quotas
    const found = async () => (await kernel.get(UserDirectory).findById(user.id))?.quotas
    t.equal(await found(), undefined)
    t.same(await set({ allocationsPerUser: 3, seats: 0 }), { allocationsPerUser: 3, seats: 0 })
    t.same(await found(), { allocationsPerUser: 3, seats: 0 })
    t.same(await set({ seats: null }), { allocationsPerUser: 3 })
    t.same(await set({ seats: 5 }), { allocationsPerUser: 3, seats: 5 })
    t.equal(await set(null), null)
    t.equal(await found(), undefined)
    await set({ seats: 1 })
    t.equal(await set({ seats: null, other: null }), null)
    const many = (prefix: string) => Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${prefix}${n}`, n]))
    await set(many('a'))
    const over = await call('PATCH', `/api/users/${user.id}`, { token, body: { quotas: many('b') } })
    t.match(over, { status: 400, body: { errors: [{ path: '/quotas' }] } })
  })

  t.test('a new e-mail address or password needs a fresh sign-in', async (t) => {
    const manager = await create(['users:*'])
    const user = await create()
    const path = `/api/users/${user.id}`
    const change = (body: unknown) => call('PATCH', path, { token: manager.token, body })
    const aged = `UPDATE auth_sessions SET authenticated_at = now() - interval '11 minutes' WHERE user_id = $1`
    await kernel.get(Database).sequelize.query(aged, { bind: [manager.id] })
    const sessions = (await call('GET', '/api/auth/sessions', { token: manager.token })).body.sessions
    // What is known of a session for a moment is forgotten when one of the user's ends.
    const other = await login(manager)
    const ended = (await call('GET', '/api/auth/sessions', { token: other })).body.sessions
    t.equal(ended.length, sessions.length + 1)
    await call('POST', '/api/auth/logout', { token: other })
    const refused = await change({ email: 'taken-over@example.org' })
    t.match(refused, { status: 403, body: { error: 'reauthentication_required' } })
    const ownPath = `/api/users/${manager.id}`
    for (const target of [path, ownPath]) {
      const { status } = await call('PATCH', target, { token: manager.token, body: { password: 'taken over' } })
      t.equal(status, 403, 'who chooses the password takes the account')
    }
    t.equal((await change({ name: 'Renamed' })).status, 200)
    const body = { password: manager.password }
    t.equal((await call('POST', '/api/auth/reauthenticate', { token: manager.token, body })).status, 200)
    t.equal((await change({ email: 'moved@example.org' })).status, 200)
  })

  t.test('a deletion and a password set by an administrator end every session', async (t) => {
    const [deleted, renewed] = [await create(), await create()]
    await call('DELETE', `/api/users/${deleted.id}`, { token })
    t.equal(await statusOf(deleted.token), 401)
    await call('PATCH', `/api/users/${renewed.id}`, { token, body: { password: 'set by another' } })
    t.equal(await statusOf(renewed.token), 401)
    t.equal(await statusOf(await login({ ...renewed, password: 'set by another' })), 200)
    t.ok(changes.some(({ userId, change }) => userId === deleted.id && change === 'deleted'))
    t.ok(changes.some(({ userId, change }) => userId === renewed.id && change === 'password'))
  })

  t.test('the last administrator stays one', async (t) => {
    const last = (method: string, body?: unknown) =>
      call(method, `/api/users/${adminId}`, { token, ...(body ? { body } : {}) })
    for (const attempt of [
      last('DELETE'),
      last('PATCH', { suspended: true }),
      last('PATCH', { permissions: ['users:write'] }),
    ]) {
      t.match(await attempt, { status: 409, body: { error: 'last_administrator' } })
    }
    const shouted = `/api/users/${adminId.toUpperCase()}`
    t.equal((await call('DELETE', shouted, { token })).status, 409, 'however the id is spelt')
    t.equal((await call('PATCH', shouted, { token, body: { suspended: true } })).status, 409)
    t.equal((await last('PATCH', { name: 'Still here' })).status, 200)
    const second = await create(['*'])
    const removals = await Promise.all([
      call('DELETE', `/api/users/${second.id}`, { token }),
      call('PATCH', `/api/users/${adminId}`, { token: second.token, body: { permissions: ['users:read'] } }),
    ])
    const won = removals.filter(({ status }) => status === 200)
    t.equal(won.length, 1, 'of two who remove each other one stays')
    if (removals[1]?.status === 200) {
      const body = { permissions: ['*'] }
      t.equal((await call('PATCH', `/api/users/${adminId}`, { token: second.token, body })).status, 200)
    }
  })

  t.test('permissions taken away are gone at once', async (t) => {
    const user = await create(['users:read'])
    t.equal((await call('GET', '/api/users', { token: user.token })).status, 200)
    await call('PATCH', `/api/users/${user.id}`, { token, body: { permissions: [] } })
    t.equal((await call('GET', '/api/users', { token: user.token })).status, 403)
    t.ok(changes.some(({ userId, change }) => userId === user.id && change === 'permissions'))
  })

  t.test('a field that is not what it must be is named', async (t) => {
    const { id } = await create()
    const valid = { email: 'field@example.org', password: 'long enough', name: 'x', permissions: ['a:b'] }
    const nonsense: Record<keyof typeof valid | 'suspended' | 'quotas', unknown[]> = {
      email: [[], {}, null, true, 1, 'x'.repeat(1_000_000), '', 'x', 'a@b@c', 'a@b\u0000'],
      password: [[], {}, null, true, 1, 'x'.repeat(1_000_000), '', '1234567', 'x'.repeat(257)],
      name: [[], {}, true, 1, 'x'.repeat(1_000_000), 'a\u0000b', 'a\nb'],
      permissions: [
        {},
        null,
        true,
        1,
        'x',
        [1],
        [null],
        ['a b'],
        ['a:'],
        ['a:b', 'a:b'],
        Array.from({ length: 500 }, String),
      ],
      suspended: [[], {}, null, 1, 'false', 'x'.repeat(1_000_000)],
      quotas: [
        [],
        true,
        1,
        'x'.repeat(1_000_000),
        { x: -1 },
        { x: 1.5 },
        { x: '1' },
        { 'a b': 1 },
        { X: 1 },
        { x: 1e12 },
      ],
    }
    for (const [field, values] of Object.entries(nonsense)) {
      for (const value of values) {
        const label = `${field} ${JSON.stringify(value).slice(0, 20)}`
        const targets: [string, string, object][] = [['PATCH', `/api/users/${id}`, { [field]: value }]]
        if (field in valid) targets.push(['POST', '/api/users', { ...valid, [field]: value }])
        for (const [method, path, body] of targets) {
          const answer = await call(method, path, { token, body })
          t.equal(answer.status, 400, `${method} ${label}`)
          t.ok(answer.body.errors?.[0].path.startsWith(`/${field}`), label)
        }
      }
    }
    t.equal((await call('PATCH', `/api/users/${id}`, { token, body: {} })).status, 400)
    t.equal((await call('PATCH', `/api/users/${id}`, { token, body: { id: randomUUID() } })).status, 400)
    for (const query of ['limit=0', 'limit=x', 'limit=501', 'offset=-1', 'x=1']) {
      t.equal((await call('GET', `/api/users?${query}`, { token })).status, 400, query)
    }
    for (const wrong of ['x', randomUUID(), '%27', '%F0%9F%99%82']) {
      t.equal((await call('GET', `/api/users/${wrong}`, { token })).status, 404, wrong)
      t.equal((await call('PATCH', `/api/users/${wrong}`, { token, body: { name: 'x' } })).status, 404, wrong)
    }
  })

  t.test('what is done to them is in the audit log, without passwords', async (t) => {
    const user = await create()
    await call('PATCH', `/api/users/${user.id}`, { token, body: { password: 'unheard of', suspended: true } })
    await call('DELETE', `/api/users/${user.id}`, { token })
    const actions = audited.filter(({ target }) => target?.id === user.id).map(({ action }) => action)
    t.same(actions, ['user.created', 'user.changed', 'user.deleted'])
    t.notOk(JSON.stringify(audited).includes('unheard of'))
    t.notOk(JSON.stringify(audited).includes(user.password))
  })
})
