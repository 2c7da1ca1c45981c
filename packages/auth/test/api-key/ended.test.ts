import { Database, Events, type UserDirectory } from '@sallyport/core'
import t from 'tap'
import { userChanged } from '../../dist/directory/user-changed.js'
import { apiKey } from '../../dist/index.js'
import { startPanel } from '../support/panel.js'
import { as, startKeyPanel } from './support.js'

t.test('what happens to their owner happens to keys, at once', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, addUser, newKey, statusOf, whoIs, changeUser } = panel
  const { sequelize } = panel.kernel.get(Database)

  t.test('lost permissions', async (t) => {
    const user = await addUser(['servers:*', 'nodes:read'])
    const { key } = await newKey(user, { permissions: ['servers:read', 'servers:write', 'nodes:read'] })
    t.equal((await whoIs(key)).permissions.length, 3)
    await changeUser(user.id, { permissions: ['servers:read'] })
    t.same((await whoIs(key)).permissions, ['servers:read'])
    await changeUser(user.id, { permissions: [] })
    t.same((await whoIs(key)).permissions, [])
    await changeUser(user.id, { permissions: ['*'] })
    t.same((await whoIs(key)).permissions, ['servers:read', 'servers:write', 'nodes:read'])
  })

  t.test('an admin key is dead when its owner is no administrator', async (t) => {
    const second = await addUser(['*'])
    const { key } = await newKey(second, { type: 'admin' })
    t.equal(await statusOf(key), 200)
    await changeUser(second.id, { permissions: ['servers:*', 'users:*'] })
    t.equal(await statusOf(key), 401)
  })

  t.test('a suspension ends them for good', async (t) => {
    const user = await addUser()
    const { key } = await newKey(user)
    t.equal(await statusOf(key), 200)
    await changeUser(user.id, { suspended: true })
    t.equal(await statusOf(key), 401)
    await changeUser(user.id, { suspended: false })
    t.equal(await statusOf(key), 401)
    t.match(
      panel.audited.findLast(({ action }) => action === 'apikey.deleted'),
      {
        actor: 'system',
        target: { type: 'user', id: user.id },
        data: { reason: 'suspended', count: 1 },
      },
    )
  })

  t.test('even if nobody hears of it', async (t) => {
    const user = await addUser()
    const { id, key } = await newKey(user)
    const rows = await sequelize.query('SELECT row_to_json(k) AS row FROM auth_api_keys k WHERE id = $1', {
      bind: [id],
    })
    const [{ row }] = rows[0] as [{ row: object }]
    await changeUser(user.id, { suspended: true })
    await changeUser(user.id, { suspended: false })
    // As if the instance had stopped before it deleted the row.
    const again = 'INSERT INTO auth_api_keys SELECT * FROM json_populate_record(NULL::auth_api_keys, $1::json)'
    await sequelize.query(again, { bind: [JSON.stringify(row)] })
    t.equal((await as(call, user)('GET', `/api/apikeys/${id}`)).status, 401, 'the session is dead')
    t.equal((await as(call, admin)('GET', `/api/apikeys/${id}`)).status, 200, 'the row is there')
    t.equal(await statusOf(key), 401)
  })

  t.test('what is heard late of a suspension leaves the keys that were made since', async (t) => {
    const user = await addUser()
    await newKey(user)
    await changeUser(user.id, { suspended: true })
    await changeUser(user.id, { suspended: false })
    const made = await newKey(admin, { userId: user.id })
    // As another instance does, to which Redis brings the event only now.
    await panel.kernel.get(Events).emit(userChanged, { userId: user.id, change: 'suspended' })
    t.equal(await statusOf(made.key), 200)
  })

  t.test('deletion', async (t) => {
    const user = await addUser()
    const { id, key } = await newKey(user)
    t.equal(await statusOf(key), 200)
    await call('DELETE', `/api/users/${user.id}`, { token: admin.token })
    t.equal(await statusOf(key), 401)
    t.equal((await as(call, admin)('GET', `/api/apikeys/${id}`)).status, 404)
  })

  t.test('a new password leaves them', async (t) => {
    const user = await addUser()
    const { key } = await newKey(user)
    await changeUser(user.id, { password: 'another one' })
    t.equal(await statusOf(key), 200)
  })
})

t.test("with a host's own users", async (t) => {
  const people = new Map([['7', { permissions: ['servers:read'], suspended: false }]])
  const users: UserDirectory = {
    async findById(id) {
      const found = people.get(id)
      return found && { id, email: `${id}@example.com`, name: null, memberships: [], ...found }
    },
    findByEmail: async (email) => users.findById(email.split('@')[0] ?? ''),
    verifyPassword: async (email, password) => (password === 'right' ? users.findByEmail(email) : undefined),
    onChange: (handler) => {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
  }
  const handlers = new Set<Parameters<UserDirectory['onChange']>[0]>()
  const { call } = await startPanel(t, { users, strategies: [apiKey()] })
  const { token } = (await call('POST', '/api/auth/login', { body: { email: '7@example.com', password: 'right' } }))
    .body
  const made = await call('POST', '/api/apikeys', { token, body: { name: 'x', type: 'client' } })
  t.equal(made.status, 201)
  t.equal(made.body.entry.userId, '7')
  const status = async () =>
    (await call('GET', '/api/auth/session', { headers: { 'x-api-key': made.body.apiKey } })).status
  t.equal(await status(), 200)
  people.set('7', { permissions: [], suspended: true })
  for (const handler of handlers) await handler({ userId: '7', change: 'suspended' })
  t.equal(await status(), 401)
  people.set('7', { permissions: [], suspended: false })
  t.equal(await status(), 401, 'for good')
})
