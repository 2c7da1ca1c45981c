import t from 'tap'
import type { Answer } from '../support/client.js'
import { as, type By, inSeconds, startKeyPanel } from './support.js'

t.test('POST /api/apikeys/:id/rotate', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, addUser, newKey, statusOf, whoIs, changeUser } = panel
  const user = await addUser(['servers:*', 'nodes:read'])
  const rotate = (by: By, id: string): Promise<Answer> => as(call, by)('POST', `/api/apikeys/${id}/rotate`)

  t.test('gives another secret, and the old one is dead at once', async (t) => {
    const { id, key } = await newKey(user, { name: 'kept', permissions: ['servers:read'] })
    t.equal(await statusOf(key), 200)
    const { status, body } = await rotate(user, id)
    t.equal(status, 200)
    t.equal(body.id, id)
    t.match(body.entry, { id, name: 'kept', permissions: ['servers:read'], prefix: body.apiKey.slice(0, 11) })
    t.equal(await statusOf(key), 401)
    t.match(await whoIs(body.apiKey), { id, permissions: ['servers:read'] })
    const record = panel.audited.findLast(({ action }) => action === 'apikey.rotated')
    t.match(record, { target: { id }, data: { prefix: body.apiKey.slice(0, 11), previousPrefix: key.slice(0, 11) } })
    t.notMatch(JSON.stringify(record), body.apiKey)
  })

  t.test('of many at one time one wins', async (t) => {
    const { id, key } = await newKey(user)
    const answers = await Promise.all(Array.from({ length: 10 }, () => rotate({ key }, id)))
    const won = answers.filter(({ status }) => status === 200)
    t.equal(won.length, 1)
    t.ok(answers.every(({ status }) => [200, 401, 409].includes(status)))
    t.equal(await statusOf(won[0]?.body.apiKey), 200)
  })

  t.test('by itself', async (t) => {
    const { id, key } = await newKey(user, { permissions: ['servers:read'], expiresAt: inSeconds(3600) })
    const { status, body } = await rotate({ key }, id)
    t.equal(status, 200)
    t.equal(await statusOf(key), 401)
    t.equal(await statusOf(body.apiKey), 200)
  })

  t.test('takes as much as the key has', async (t) => {
    const expiresAt = inSeconds(3600)
    const mine = await newKey(user, { permissions: ['servers:read'], expiresAt, allowedIps: ['127.0.0.1'] })
    const like = { permissions: ['servers:read'], expiresAt, allowedIps: ['127.0.0.1'] }
    for (const wider of [{ permissions: ['nodes:read'] }, { expiresAt: inSeconds(3700) }, { allowedIps: [] }]) {
      const target = await newKey(user, { ...like, ...wider })
      t.equal((await rotate(mine, target.id)).body.error, 'forbidden', JSON.stringify(wider))
      t.equal(await statusOf(target.key), 200, 'and it is as it was')
    }
    const all = await newKey(admin, { type: 'admin' })
    t.equal((await rotate(await newKey(admin, { permissions: ['*'] }), all.id)).status, 403)
    t.equal((await rotate(all, all.id)).status, 200)
  })

  t.test('a key that another rotated ends with it', async (t) => {
    const thief = await newKey(user, { permissions: ['servers:read'] })
    const target = await newKey(user, { permissions: ['servers:read'] })
    const { body } = await rotate(thief, target.id)
    t.equal(await statusOf(body.apiKey), 200)
    await as(call, user)('DELETE', `/api/apikeys/${thief.id}`)
    t.equal(await statusOf(body.apiKey), 401)
  })

  t.test('a key does not take over the one that made it', async (t) => {
    const maker = await newKey(user, { permissions: ['servers:read'] })
    const child = await newKey(maker, { permissions: ['servers:read'] })
    t.equal((await rotate(child, maker.id)).status, 403)
    t.equal((await rotate(maker, child.id)).status, 200)
  })

  t.test("another's is not there, but for a writer who holds as much as its owner", async (t) => {
    const { id, key } = await newKey(user, { permissions: ['servers:read'] })
    t.equal((await rotate(await addUser(['servers:*', 'nodes:read', 'apikeys:read']), id)).status, 404)
    t.equal((await rotate(await addUser(['apikeys:write', 'servers:read']), id)).status, 403)
    t.equal(await statusOf(key), 200)
    const writer = await addUser(['apikeys:write', 'servers:*', 'nodes:read'])
    const { status, body } = await rotate(writer, id)
    t.equal(status, 200)
    await changeUser(writer.id, { permissions: [] })
    t.same((await whoIs(body.apiKey)).permissions, [], 'who knows the secret is never more than they are')
    const again = await rotate(user, id)
    t.same((await whoIs(again.body.apiKey)).permissions, ['servers:read'], 'its owner takes it back')
  })
})
