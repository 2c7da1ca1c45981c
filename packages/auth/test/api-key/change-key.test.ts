import { Database } from '@sallyport/core'
import t from 'tap'
import type { Answer } from '../support/client.js'
import { until } from '../support/until.js'
import { as, type By, inSeconds, startKeyPanel } from './support.js'

t.test('PATCH /api/apikeys/:id', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, addUser, newKey, statusOf, whoIs } = panel
  const user = await addUser(['servers:*', 'nodes:read'])
  const patch = (by: By, id: string, body: object): Promise<Answer> => as(call, by)('PATCH', `/api/apikeys/${id}`, body)

  t.test('is in force at once', async (t) => {
    const { id, key } = await newKey(user, { permissions: ['servers:read'] })
    t.same((await whoIs(key)).permissions, ['servers:read'])
    const expiresAt = inSeconds(3600)
    const { status, body } = await patch(user, id, { name: 'new', permissions: ['nodes:read'], expiresAt })
    t.equal(status, 200)
    t.equal(body.success, true)
    t.match(body.entry, { id, name: 'new', permissions: ['nodes:read'], expiresAt, prefix: key.slice(0, 11) })
    t.same((await whoIs(key)).permissions, ['nodes:read'])
    t.match((await patch(user, id, { expiresAt: null, allowedIps: ['192.0.2.1'] })).body.entry, {
      name: 'new',
      permissions: ['nodes:read'],
      expiresAt: null,
      allowedIps: ['192.0.2.1'],
    })
    t.equal(await statusOf(key), 403)
    await patch(user, id, { allowedIps: [] })
    t.equal(await statusOf(key), 200)
    const record = panel.audited.findLast(({ action }) => action === 'apikey.changed')
    t.match(record, { target: { type: 'api-key', id }, data: { allowedIps: [], prefix: key.slice(0, 11) } })
  })

  t.test('gives nothing that its owner or who changes it does not hold', async (t) => {
    const { id } = await newKey(user, { permissions: ['servers:read'] })
    for (const permissions of [['*'], ['nodes:write'], ['servers:read', 'users:read']]) {
      t.equal((await patch(user, id, { permissions })).body.error, 'forbidden')
    }
    const writer = await addUser(['apikeys:write', 'servers:read'])
    t.equal((await patch(writer, id, { permissions: ['nodes:read'] })).status, 403)
    t.equal((await patch(writer, id, { permissions: [] })).status, 200)
    t.equal((await patch(admin, id, { permissions: ['users:read'] })).status, 403)
  })

  t.test("another's is not there, but for a writer who holds as much", async (t) => {
    const narrow = await newKey(user, { permissions: ['servers:read'] })
    const wide = await newKey(user, { permissions: ['servers:*'] })
    const all = await newKey(admin, { type: 'admin' })
    const stranger = await addUser(['servers:*', 'apikeys:read'])
    t.equal((await patch(stranger, narrow.id, { name: 'x' })).status, 404)
    for (const permission of ['apikeys:write', 'users:write']) {
      const writer = await addUser([permission, 'servers:read'])
      t.equal((await patch(writer, narrow.id, { name: 'x' })).status, 200)
      t.equal((await patch(writer, wide.id, { name: 'x' })).status, 403)
      t.equal((await patch(writer, all.id, { name: 'x' })).status, 403)
    }
    t.equal((await patch(admin, wide.id, { name: 'x' })).status, 200)
  })

  t.test('a key makes no key wider than itself, itself neither', async (t) => {
    const expiresAt = inSeconds(3600)
    const mine = { permissions: ['servers:read'], expiresAt, allowedIps: ['127.0.0.0/24'] }
    const key = await newKey(user, mine)
    const narrow = await newKey(user, { ...mine, permissions: [] })
    const wide = await newKey(user, { ...mine, permissions: ['servers:*'] })
    const lasting = await newKey(user, { ...mine, expiresAt: inSeconds(7200) })
    for (const target of [key, narrow]) {
      for (const wider of [
        { permissions: ['servers:write'] },
        { expiresAt: null },
        { expiresAt: inSeconds(3700) },
        { allowedIps: [] },
        { allowedIps: ['127.0.0.0/8'] },
      ]) {
        t.equal((await patch(key, target.id, wider)).body.error, 'forbidden', JSON.stringify(wider))
      }
    }
    t.equal((await patch(key, wide.id, { name: 'x' })).status, 403)
    t.equal((await patch(key, lasting.id, { name: 'x' })).status, 403)
    t.equal((await patch(key, lasting.id, { expiresAt })).status, 200)
    t.equal((await patch(key, narrow.id, { permissions: ['servers:read'] })).status, 200)
    t.equal((await patch(key, key.id, { permissions: [] })).status, 200)
    t.equal((await patch(key, key.id, { permissions: ['servers:read'] })).status, 403, 'it has given that away')
  })

  t.test('of an admin key keeps what it is', async (t) => {
    const { id, key } = await newKey(admin, { type: 'admin' })
    t.equal((await patch(admin, id, { permissions: ['servers:read'] })).body.errors[0].path, '/permissions')
    t.equal((await patch(admin, id, { permissions: [] })).status, 200)
    t.same((await whoIs(key)).permissions, ['*'])
  })

  t.test('takes a fresh session', async (t) => {
    const stale = await addUser()
    const { id } = await newKey(stale)
    const sql = "UPDATE auth_sessions SET authenticated_at = now() - interval '11 minutes' WHERE user_id = $1"
    await panel.kernel.get(Database).sequelize.query(sql, { bind: [stale.id] })
    // The session is known to the panel for a second.
    const error = () => patch(stale, id, { name: 'x' }).then(({ body }) => body.error)
    t.equal(await until('the session to be stale', error), 'reauthentication_required')
    for (const [method, rest] of [
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const) {
      const answer = await as(call, stale)(method, `/api/apikeys/${id}${rest}`)
      t.same([answer.status, answer.body.error], [403, 'reauthentication_required'], method)
    }
  })

  t.test('changes what was read, or nothing', async (t) => {
    const { id } = await newKey(user)
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => patch(user, id, { name: `name ${n}` })))
    t.ok(answers.some(({ status }) => status === 200))
    t.same(
      answers.filter(({ status }) => status !== 200 && status !== 409),
      [],
    )
  })
})
