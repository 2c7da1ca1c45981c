import { Database } from '@sallyport/core'
import t from 'tap'
import { createKeyStore } from '../../dist/strategies/api-key/key-store.js'
import type { Answer } from '../support/client.js'
import { as, type By, startKeyPanel } from './support.js'

t.test('DELETE /api/apikeys/:id', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, addUser, newKey, statusOf, changeUser } = panel
  const user = await addUser(['servers:*'])
  const remove = (by: By, id: string): Promise<Answer> => as(call, by)('DELETE', `/api/apikeys/${id}`)

  t.test('is dead at once', async (t) => {
    const { id, key } = await newKey(user)
    t.equal(await statusOf(key), 200)
    const answer = await remove(user, id)
    t.same([answer.status, answer.body], [200, { success: true }])
    t.equal(await statusOf(key), 401)
    t.equal((await remove(user, id)).status, 404)
    t.equal((await as(call, user)('GET', `/api/apikeys/${id}`)).status, 404)
    t.match(panel.audited.at(-1), { action: 'apikey.deleted', target: { id }, data: { prefix: key.slice(0, 11) } })
  })

  t.test("another's is not there, but for a writer who holds as much", async (t) => {
    const { id, key } = await newKey(user, { permissions: ['servers:write'] })
    const all = await newKey(admin, { type: 'admin' })
    t.equal((await remove(await addUser(['servers:*', 'apikeys:read']), id)).status, 404)
    t.equal((await remove(await addUser(['apikeys:write', 'servers:read']), id)).status, 403)
    t.equal((await remove(await addUser(['apikeys:write', 'servers:read']), all.id)).status, 403)
    t.equal(await statusOf(key), 200)
    t.equal((await remove(await addUser(['apikeys:write', 'servers:write']), id)).status, 200)
    t.equal((await remove(admin, all.id)).status, 200)
  })

  t.test('by a key: itself, and what has no more', async (t) => {
    const mine = await newKey(user, { permissions: ['servers:read'] })
    const wider = await newKey(user, { permissions: ['servers:*'] })
    const narrower = await newKey(user)
    t.equal((await remove(mine, wider.id)).status, 403)
    t.equal((await remove(mine, narrower.id)).status, 200)
    t.equal((await remove(mine, mine.id)).status, 200)
    t.equal(await statusOf(mine.key), 401)
  })

  t.test('who is no administrator any more may still remove their admin key', async (t) => {
    const second = await addUser(['*'])
    const { id, key } = await newKey(second, { type: 'admin' })
    await changeUser(second.id, { permissions: [] })
    t.equal(await statusOf(key), 401)
    t.equal((await as(call, second)('POST', `/api/apikeys/${id}/rotate`)).status, 403)
    t.equal((await remove(second, id)).status, 200)
  })

  t.test('of many at one time one finds it', async (t) => {
    const { id } = await newKey(user)
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await remove(user, id)).status))
    t.same(statuses.sort(), [200, ...Array(9).fill(404)])
  })

  t.test('what expired long ago is deleted by the panel', async (t) => {
    const [gone, kept] = [await newKey(user), await newKey(user)]
    const database = panel.kernel.get(Database)
    const expire = 'UPDATE auth_api_keys SET expires_at = now() - make_interval(days => $2) WHERE id = $1'
    await database.sequelize.query(expire, { bind: [gone.id, 31] })
    await database.sequelize.query(expire, { bind: [kept.id, 29] })
    await createKeyStore(database).purge()
    t.equal((await as(call, user)('GET', `/api/apikeys/${gone.id}`)).status, 404)
    t.equal((await as(call, user)('GET', `/api/apikeys/${kept.id}`)).status, 200)
    t.equal(await statusOf(kept.key), 401)
  })
})
