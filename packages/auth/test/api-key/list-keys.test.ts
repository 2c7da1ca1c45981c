import t from 'tap'
import { as, startKeyPanel } from './support.js'

t.test('lists of API keys', async (t) => {
  const { admin, call, addUser, newKey } = await startKeyPanel(t)
  const user = await addUser(['servers:read'])
  const other = await addUser()
  const reader = await addUser(['apikeys:read'])
  const first = await newKey(user, { name: 'first', permissions: ['servers:read'] })
  const second = await newKey(user, { name: 'second' })
  const others = await newKey(other)
  const ids = (answer: { body: { apiKeys: { id: string }[] } }) => answer.body.apiKeys.map(({ id }) => id)

  t.test('one sees their own, newest first', async (t) => {
    for (const by of [user, first]) {
      const answer = await as(call, by)('GET', '/api/apikeys/my')
      t.equal(answer.status, 200)
      t.same(ids(answer), [second.id, first.id])
      t.equal(answer.body.total, 2)
      t.notMatch(JSON.stringify(answer.body), first.key)
      const expected = ['id', 'name', 'type', 'permissions', 'prefix', 'createdAt', 'expiresAt', 'lastUsedAt']
      t.same(Object.keys(answer.body.apiKeys[0]).sort(), [...expected, 'userId', 'allowedIps'].sort())
    }
    t.same((await as(call, reader)('GET', '/api/apikeys/my')).body, { apiKeys: [], total: 0 })
  })

  t.test("everybody's takes a permission", async (t) => {
    for (const by of [user, first]) t.equal((await as(call, by)('GET', '/api/apikeys')).status, 403)
    t.equal((await call('GET', '/api/apikeys')).status, 401)
    t.same(ids(await as(call, reader)('GET', '/api/apikeys')), [others.id, second.id, first.id])
    const page = await as(call, admin)('GET', '/api/apikeys?limit=1&offset=1')
    t.same([ids(page), page.body.total], [[second.id], 3])
    t.same(ids(await as(call, admin)('GET', '/api/apikeys?offset=3')), [])
  })

  t.test("another's is not there, but for a reader", async (t) => {
    const get = async (by: Parameters<typeof as>[1], id: string) => as(call, by)('GET', `/api/apikeys/${id}`)
    for (const by of [user, first, second]) {
      t.equal((await get(by, first.id)).body.entry.name, 'first')
      const hidden = await get(by, others.id)
      const missing = await get(by, '00000000-0000-4000-8000-000000000000')
      t.equal(hidden.status, 404)
      t.same({ ...hidden.body, requestId: '' }, { ...missing.body, requestId: '' }, 'the same as one that there is not')
    }
    for (const by of [reader, admin]) t.equal((await get(by, others.id)).status, 200)
  })
})
