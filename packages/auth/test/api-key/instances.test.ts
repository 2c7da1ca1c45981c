import { Database, Events } from '@sallyport/core'
import { missingPostgres, missingRedis, skipWithout, startPostgres, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { apiKey, directory } from '../../dist/index.js'
import { createKeyUsage } from '../../dist/strategies/api-key/key-usage.js'
import { startPanelProcess } from '../support/panel-process.js'
import { until } from '../support/until.js'
import { administrator, as, carry, startKeyPanel } from './support.js'

const skip = skipWithout('Postgres', missingPostgres()) || skipWithout('Redis', missingRedis())

t.test('several instances on one Postgres and one Redis', { skip }, async (t) => {
  const [postgres, server] = await Promise.all([startPostgres(), startRedis()])
  t.teardown(() => Promise.all([postgres[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]))
  const options = {
    databaseUrl: postgres.url,
    redisUrl: server.url,
    users: directory({ firstAdministrator: administrator }),
    session: { attempts: { perAccount: { points: 10_000 }, perAddress: { points: 10_000 } } },
  }
  const panel = await startKeyPanel(t, { ...options, plugins: [], strategies: [apiKey()] })
  const second = await startKeyPanel(t, { ...options, plugins: [], strategies: [apiKey()] })
  const { admin, call, addUser, newKey, changeUser } = panel

  t.test('what ends on one is dead on the other, which has just seen it', async (t) => {
    const edit = as(call, admin)
    const ways: Record<string, (id: string, owner: string, key: string) => Promise<unknown>> = {
      deleted: (id) => edit('DELETE', `/api/apikeys/${id}`),
      rotated: (id) => edit('POST', `/api/apikeys/${id}/rotate`),
      'rotated by itself': (id, _, key) => as(call, { key })('POST', `/api/apikeys/${id}/rotate`),
      'owner suspended': (_, owner) => changeUser(owner, { suspended: true }),
      'owner deleted': (_, owner) => edit('DELETE', `/api/users/${owner}`),
      'owner an administrator no more': (_, owner) => changeUser(owner, { permissions: ['servers:*'] }),
    }
    for (const [what, end] of Object.entries(ways)) {
      const owner = await addUser(['*'])
      const { id, key } = await newKey(owner, { type: 'admin' })
      const child = await newKey({ key }, { permissions: ['servers:read'] })
      for (const text of [key, child.key]) t.equal(await second.statusOf(text), 200)
      const answer = (await end(id, owner.id, key)) as { status: number }
      t.equal(answer.status, 200)
      t.same([await second.statusOf(key), await second.statusOf(child.key)], [401, 401], what)
    }
    const owner = await addUser(['servers:*'])
    const { id, key } = await newKey(owner, { permissions: ['servers:*'] })
    t.same((await second.whoIs(key)).permissions, ['servers:*'])
    await as(call, owner)('PATCH', `/api/apikeys/${id}`, { permissions: ['servers:read'] })
    t.same((await second.whoIs(key)).permissions, ['servers:read'])
    await changeUser(owner.id, { permissions: [] })
    t.same((await second.whoIs(key)).permissions, [])
  })

  t.test('of two keys that rotate each other at one time, one does', async (t) => {
    const rotate = async (by: { key: string }, id: string): Promise<number> =>
      (await as(call, by)('POST', `/api/apikeys/${id}/rotate`)).status
    for (let round = 0; round < 20; round += 1) {
      const [a, b] = [await newKey(admin), await newKey(admin)]
      const statuses = await Promise.all([rotate(a, b.id), rotate(b, a.id)])
      t.same(statuses.sort(), [200, 401])
    }
  })

  t.test('fifty that are made at one time are no more than a user may have', async (t) => {
    const other = await startPanelProcess(t, {
      databaseUrl: options.databaseUrl,
      redisUrl: options.redisUrl,
      session: options.session,
      strategies: { apiKey: {} },
    })
    const user = await addUser()
    const make = async (through: typeof call) =>
      (await as(through, user)('POST', '/api/apikeys', { name: 'x', type: 'client' })).status
    for (let n = 0; n < 90; n += 1) t.equal(await make(call), 201)
    const statuses = await Promise.all(Array.from({ length: 50 }, (_, n) => make(n % 2 === 0 ? call : other.call)))
    t.equal(statuses.filter((status) => status === 201).length, 10)
    t.equal(statuses.filter((status) => status === 403).length, 40)
    t.equal((await as(call, user)('GET', '/api/apikeys/my')).body.total, 100)
  })

  t.test('a key that is rotated or deleted while it makes another leaves none behind', async (t) => {
    for (const end of ['rotate', 'delete'] as const) {
      const user = await addUser()
      for (let round = 0; round < 5; round += 1) {
        const { id, key } = await newKey(user)
        const making = Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? panel : second).createKey({ key }))
        const ended =
          end === 'delete'
            ? as(second.call, user)('DELETE', `/api/apikeys/${id}`)
            : as(second.call, user)('POST', `/api/apikeys/${id}/rotate`)
        const answers = await Promise.all(making)
        t.equal((await ended).status, 200)
        t.ok(
          answers.every(({ status }) => [201, 401].includes(status)),
          answers.map(({ status }) => status).join(),
        )
        for (const { body } of answers) {
          if (body.apiKey) t.equal(await panel.statusOf(body.apiKey), 401, 'what it made is dead')
        }
      }
    }
  })

  t.test('of fifty rotations one is left', async (t) => {
    const user = await addUser()
    const { id } = await newKey(user)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        as((n % 2 === 0 ? panel : second).call, user)('POST', `/api/apikeys/${id}/rotate`),
      ),
    )
    const secrets = answers.flatMap(({ body }) => (body.apiKey ? [body.apiKey as string] : []))
    t.ok(answers.every(({ status }) => [200, 409].includes(status)))
    const alive = await Promise.all(secrets.map((key) => panel.statusOf(key)))
    t.equal(alive.filter((status) => status === 200).length, 1)
  })

  t.test('both write which keys are used without hindering each other', async (t) => {
    const user = await addUser()
    const ids: string[] = []
    for (let n = 0; n < 20; n += 1) ids.push((await newKey(user)).id)
    const usages = [panel, second].map(({ kernel }) => createKeyUsage(kernel.get(Database)))
    for (let round = 0; round < 10; round += 1) {
      for (const [n, usage] of usages.entries()) {
        for (const id of n === 0 ? ids : ids.toReversed()) usage.note({ id, lastUsedAt: null })
      }
      await Promise.all(usages.map((usage) => usage.flush()))
    }
    const { apiKeys } = (await as(call, user)('GET', '/api/apikeys/my')).body
    t.ok(apiKeys.every(({ lastUsedAt }: { lastUsedAt: string | null }) => lastUsedAt !== null))
  })

  t.test('a panel that stops writes which keys were used', async (t) => {
    const third = await startKeyPanel(t, { ...options, plugins: [], strategies: [apiKey()] })
    const { id, key } = await newKey(admin)
    t.equal(await third.statusOf(key), 200)
    t.equal((await as(call, admin)('GET', `/api/apikeys/${id}`)).body.entry.lastUsedAt, null)
    await third.kernel.stop()
    t.ok((await as(call, admin)('GET', `/api/apikeys/${id}`)).body.entry.lastUsedAt)
  })

  t.test('without Redis nothing is kept', async (t) => {
    const user = await addUser(['servers:read'])
    const { id, key } = await newKey(user, { permissions: ['servers:read'] })
    t.equal(await second.statusOf(key), 200)
    await server.stop()
    await until('it to be noticed', () => [panel, second].every(({ kernel }) => !kernel.get(Events).connected))
    t.equal(await second.statusOf(key), 200, 'the database knows it')
    await as(call, user)('PATCH', `/api/apikeys/${id}`, { permissions: [] })
    t.same((await second.whoIs(key)).permissions, [])
    t.equal((await call('DELETE', `/api/apikeys/${id}`, { headers: carry(key) })).status, 200)
    t.equal(await second.statusOf(key), 401)
  })
})
