import { Database } from '@sallyport/core'
import t, { type Test } from 'tap'
import type { Answer } from '../support/client.js'
import { as, inSeconds, startKeyPanel } from './support.js'

t.test('POST /api/apikeys', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, createKey, newKey, whoIs, statusOf, addUser } = panel
  const user = await addUser(['servers:*', 'nodes:read'])
  const refused = (t: Test, answer: Answer, status: number, error: string): void => {
    t.same([answer.status, answer.body.error], [status, error], answer.body.detail)
    t.notOk('apiKey' in answer.body)
  }

  t.test('shows a key once, with an entry', async (t) => {
    const expiresAt = inSeconds(3600)
    const { status, body } = await createKey(user, {
      name: 'backups',
      permissions: ['servers:read'],
      expiresAt,
      allowedIps: ['127.0.0.0/8', '::1'],
    })
    t.equal(status, 201)
    t.equal(body.success, true)
    t.match(body.apiKey, /^sp_c_/)
    const { createdAt, ...entry } = body.entry
    t.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000)
    t.same(entry, {
      id: body.id,
      name: 'backups',
      type: 'client',
      permissions: ['servers:read'],
      prefix: body.apiKey.slice(0, 11),
      expiresAt,
      lastUsedAt: null,
      userId: user.id,
      allowedIps: ['127.0.0.0/8', '::1'],
    })
    t.same(await whoIs(body.apiKey), {
      strategy: 'api-key',
      kind: 'apiKey',
      id: body.id,
      permissions: ['servers:read'],
    })
    const { audited } = panel
    const record = audited.find(({ action, target }) => action === 'apikey.created' && target?.id === body.id)
    t.equal((record?.actor as { id: string }).id, user.id)
    t.notMatch(JSON.stringify(audited), body.apiKey, 'the key is nowhere in the log')
  })

  t.test('is stored as a hash', async (t) => {
    const { id, key } = await newKey(user)
    const { sequelize } = panel.kernel.get(Database)
    const [rows] = await sequelize.query(`SELECT k::text AS row FROM auth_api_keys k WHERE id = '${id}'`)
    const [{ row }] = rows as [{ row: string }]
    t.notMatch(row, key)
    t.notMatch(row, key.slice(11, 40))
  })

  t.test('has no permission that it was not given', async (t) => {
    t.same((await whoIs((await newKey(user)).key)).permissions, [])
    t.same((await whoIs((await newKey(user, { permissions: [] })).key)).permissions, [])
    t.same((await whoIs((await newKey(user, { permissions: ['servers:*'] })).key)).permissions, ['servers:*'])
  })

  t.test('is given nothing that its maker or its owner does not hold', async (t) => {
    for (const permissions of [['*'], ['nodes:write'], ['servers:a:b'], ['servers:read', 'users:read']]) {
      refused(t, await createKey(user, { permissions }), 403, 'forbidden')
    }
    refused(t, await createKey(admin, { permissions: ['nodes:write'], userId: user.id }), 403, 'forbidden')
  })

  t.test('an admin key takes an administrator, who is its owner', async (t) => {
    refused(t, await createKey(user, { type: 'admin' }), 403, 'forbidden')
    refused(t, await createKey(admin, { type: 'admin', userId: user.id }), 403, 'forbidden')
    const { status, body } = await createKey(admin, { type: 'admin' })
    t.equal(status, 201)
    t.match(body.apiKey, /^sp_a_/)
    t.same(body.entry.permissions, ['*'])
    t.same((await whoIs(body.apiKey)).permissions, ['*'])
    t.equal((await as(panel.call, { key: body.apiKey })('GET', '/api/users')).status, 200)
    const answer = await createKey(admin, { type: 'admin', permissions: ['servers:read'] })
    t.same([answer.status, answer.body.errors[0].path], [400, '/permissions'], 'it is not narrowed by a list')
    t.equal((await createKey(admin, { type: 'admin', permissions: ['*'] })).status, 201)
  })

  t.test('for another user', async (t) => {
    const other = await addUser(['servers:read'])
    const writer = await addUser(['users:write', 'servers:read'])
    refused(t, await createKey(user, { userId: other.id }), 403, 'forbidden')
    refused(t, await createKey(user, { userId: 'nobody' }), 403, 'forbidden')
    refused(t, await createKey(writer, { userId: 'nobody' }), 404, 'not_found')
    refused(t, await createKey(writer, { userId: '00000000-0000-4000-8000-000000000000' }), 404, 'not_found')
    refused(t, await createKey(writer, { userId: other.id, permissions: ['users:write'] }), 403, 'forbidden')
    refused(t, await createKey(writer, { userId: user.id }), 403, 'forbidden')
    refused(t, await createKey(writer, { userId: admin.id }), 403, 'forbidden')
    const { key } = await newKey(writer, { userId: other.id, permissions: ['servers:read'] })
    const { body } = await panel.call('GET', '/api/auth/session', { headers: { 'x-api-key': key } })
    t.equal(body.user.id, other.id)
    t.same(body.authentication.permissions, ['servers:read'])
    t.equal((await createKey(user, { userId: user.id })).status, 201, 'oneself is no other')
    await panel.changeUser(other.id, { suspended: true })
    refused(t, await createKey(writer, { userId: other.id }), 409, 'conflict')
  })

  t.test('what somebody made for another is never more than they are', async (t) => {
    const other = await addUser(['servers:read', 'servers:write'])
    const writer = await addUser(['users:write', 'servers:*'])
    const { key } = await newKey(writer, { userId: other.id, permissions: ['servers:read', 'servers:write'] })
    await panel.changeUser(writer.id, { permissions: ['users:write', 'servers:read'] })
    t.same((await whoIs(key)).permissions, ['servers:read'])
    await panel.changeUser(writer.id, { suspended: true })
    t.equal(await statusOf(key), 401)
  })

  t.test('takes a fresh session', async (t) => {
    const { id, token } = await addUser(['servers:read'])
    const stale = "UPDATE auth_sessions SET authenticated_at = now() - interval '11 minutes' WHERE user_id = $1"
    await panel.kernel.get(Database).sequelize.query(stale, { bind: [id] })
    refused(t, await createKey({ token }), 403, 'reauthentication_required')
    await panel.call('POST', '/api/auth/reauthenticate', { token, body: { password: 'long enough' } })
    t.equal((await createKey({ token })).status, 201)
  })

  t.test('takes credentials', async (t) => {
    const answer = await panel.call('POST', '/api/apikeys', { body: { name: 'x', type: 'client' } })
    refused(t, answer, 401, 'unauthenticated')
  })
})

t.test('a key that makes keys', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, createKey, newKey, whoIs, statusOf, addUser } = panel
  const user = await addUser(['servers:*', 'nodes:read'])
  const refused = async (t: Test, key: string, body: object): Promise<void> => {
    const answer = await createKey({ key }, body)
    t.same([answer.status, answer.body.error], [403, 'forbidden'], JSON.stringify(body))
  }

  t.test('gives what it has itself, and no more', async (t) => {
    const maker = await newKey(user, {
      permissions: ['servers:read', 'nodes:read'],
      expiresAt: inSeconds(3600),
      allowedIps: ['127.0.0.0/24', '2001:db8::/32'],
    })
    const within = { expiresAt: inSeconds(3500), allowedIps: ['127.0.0.1'] }
    for (const wider of [
      { permissions: ['servers:write'] },
      { permissions: ['servers:*'] },
      { permissions: ['*'] },
      { type: 'admin' },
      { userId: admin.id },
      { expiresAt: inSeconds(3700) },
      { expiresAt: undefined },
      { allowedIps: undefined },
      { allowedIps: [] },
      { allowedIps: ['127.0.0.0/16'] },
      { allowedIps: ['127.0.0.1', '192.0.2.1'] },
      { allowedIps: ['::/0'] },
    ]) {
      await refused(t, maker.key, { ...within, ...wider })
    }
    const { status, body } = await createKey(maker, { ...within, permissions: ['servers:read'] })
    t.equal(status, 201)
    t.equal(body.entry.userId, user.id)
    t.same((await whoIs(body.apiKey)).permissions, ['servers:read'])
  })

  t.test('a client key of an administrator makes no admin key', async (t) => {
    const client = await newKey(admin, { permissions: ['*'] })
    await refused(t, client.key, { type: 'admin' })
    const all = await newKey(admin, { type: 'admin' })
    t.equal((await createKey(all, { type: 'admin' })).status, 201)
    t.equal((await createKey(all, { userId: user.id, permissions: ['nodes:read'] })).status, 201)
  })

  t.test('takes them along when it ends', async (t) => {
    const edit = as(panel.call, admin)
    const { sequelize } = panel.kernel.get(Database)
    const ways: Record<string, (maker: string, owner: string) => Promise<unknown>> = {
      deleted: (maker) => edit('DELETE', `/api/apikeys/${maker}`),
      rotated: (maker) => edit('POST', `/api/apikeys/${maker}/rotate`),
      suspended: (_, owner) => panel.changeUser(owner, { suspended: true }),
      'an administrator no more': (_, owner) => panel.changeUser(owner, { permissions: ['servers:read'] }),
      'its owner is gone': (_, owner) => edit('DELETE', `/api/users/${owner}`),
      async expired(maker) {
        await sequelize.query('UPDATE auth_api_keys SET expires_at = now() WHERE id = $1', { bind: [maker] })
        await edit('PATCH', `/api/apikeys/${maker}`, { name: 'told to the cache' })
      },
    }
    for (const [what, end] of Object.entries(ways)) {
      const second = await addUser(['*'])
      const maker = await newKey(second, { type: 'admin' })
      const child = await newKey(maker, { userId: user.id, permissions: ['servers:read'] })
      const grandchild = await newKey(child, { permissions: ['servers:read'] })
      t.same([await statusOf(child.key), await statusOf(grandchild.key)], [200, 200])
      await end(maker.id, second.id)
      t.same([await statusOf(child.key), await statusOf(grandchild.key)], [401, 401], what)
    }
  })

  t.test('narrows them when it is narrowed', async (t) => {
    const maker = await newKey(user, { permissions: ['servers:*', 'nodes:read'] })
    const child = await newKey(maker, { permissions: ['servers:read', 'nodes:read'] })
    t.same((await whoIs(child.key)).permissions, ['servers:read', 'nodes:read'])
    const edit = (body: object) => as(panel.call, user)('PATCH', `/api/apikeys/${maker.id}`, body)
    await edit({ permissions: ['servers:*'] })
    t.same((await whoIs(child.key)).permissions, ['servers:read'])
    await edit({ allowedIps: ['192.0.2.1'] })
    t.same([await statusOf(child.key), await statusOf(child.key, '192.0.2.1')], [403, 200])
  })

  t.test('makes no rows of them without end', async (t) => {
    let key = await newKey(user)
    for (let length = 2; length <= 5; length += 1) key = await newKey(key)
    t.equal(await statusOf(key.key), 200)
    await refused(t, key.key, {})
  })
})

t.test('a user has so many keys and no more', async (t) => {
  const panel = await startKeyPanel(t, { max: 3 })
  const { addUser, createKey, newKey } = panel
  const user = await addUser(['servers:read'])
  const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await createKey(user)).status))
  t.same(statuses.sort(), [201, 201, 201, ...Array(7).fill(403)])
  const answer = await createKey(user)
  t.same([answer.status, answer.body.error], [403, 'quota_exceeded'])
  t.equal((await createKey(panel.admin, { userId: user.id })).status, 403, "another's keys count for their owner")
  t.equal((await createKey(panel.admin)).status, 201)
  await panel.kernel
    .get(Database)
    .sequelize.query('UPDATE auth_api_keys SET expires_at = now() WHERE id = (SELECT id FROM auth_api_keys LIMIT 1)')
  await newKey(user)
  t.equal((await createKey(user)).status, 403, 'an expired one made room')
})
