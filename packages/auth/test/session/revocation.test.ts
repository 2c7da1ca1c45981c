import { missingPostgres, missingRedis, skipWithout, startPostgres, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { directory } from '../../dist/index.js'
import { startPanel } from '../support/panel.js'
import { startPanelProcess } from '../support/panel-process.js'
import { until } from '../support/until.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const many = { points: 10_000 }
const skip = skipWithout('Postgres', missingPostgres()) || skipWithout('Redis', missingRedis())

t.test('what ends on one instance has ended on the others', { skip }, async (t) => {
  const [postgres, redis] = [await startPostgres(), await startRedis()]
  t.teardown(() => postgres[Symbol.asyncDispose]())
  t.teardown(() => redis[Symbol.asyncDispose]())
  const options = {
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    session: { attempts: { perAccount: many, perAddress: many } },
  }
  const here = await startPanel(t, { ...options, users: directory({ firstAdministrator: administrator }) })
  const there = await startPanelProcess(t, options)
  const instances = [here, there] as const
  const signIn = async (): Promise<string> =>
    (await here.call('POST', '/api/auth/login', { body: administrator })).body.token
  const statusesOf = (token: string): Promise<number[]> =>
    Promise.all(instances.map(async ({ call }) => (await call('GET', '/api/auth/session', { token })).status))
  /** A session that both instances know, just now. */
  const warm = async (): Promise<string> => {
    const token = await signIn()
    for (let round = 0; round < 3; round += 1) t.same(await statusesOf(token), [200, 200])
    return token
  }

  t.test('at once, by a logout on either, though both have just used it', async (t) => {
    for (let round = 0; round < 10; round += 1) {
      const token = await warm()
      const by = instances[round % 2] ?? here
      t.equal((await by.call('POST', '/api/auth/logout', { token })).status, 200)
      t.same(await statusesOf(token), [401, 401])
    }
  })

  t.test('at once, by a new password', async (t) => {
    const [token, other] = [await warm(), await warm()]
    const body = { currentPassword: administrator.password, newPassword: administrator.password }
    t.equal((await here.call('POST', '/api/auth/password', { token, body })).status, 200)
    t.same(await statusesOf(other), [401, 401])
    t.same(await statusesOf(token), [200, 200])
  })

  // Last, since it leaves the instances without Redis.
  t.test('at once without Redis too, and nobody signs in uncounted', async (t) => {
    const [first, second] = [await warm(), await warm()]
    await redis.stop()
    t.equal((await there.call('POST', '/api/auth/logout', { token: first })).status, 200)
    t.same(await statusesOf(first), [401, 401])
    t.same(await statusesOf(second), [200, 200], 'others go on')
    for (const { call } of instances) {
      for (const password of [administrator.password, 'wrong']) {
        const answer = await call('POST', '/api/auth/login', { body: { ...administrator, password } })
        t.equal(answer.status, 503)
        t.ok(answer.headers['retry-after'])
      }
      const body = { email: administrator.email }
      t.equal((await call('POST', '/api/auth/password-reset/request', { body })).status, 503)
    }
    await redis.start()
    const again = await until('signing in again', async () => {
      const { status, body } = await here.call('POST', '/api/auth/login', { body: administrator })
      return status === 200 ? String(body.token) : ''
    })
    await until('the other instance to be back', async () => {
      const { status } = await there.call('POST', '/api/auth/login', { body: administrator })
      return status === 200
    })
    t.same(await statusesOf(again), [200, 200])
    t.equal((await here.call('POST', '/api/auth/logout', { token: again })).status, 200)
    t.same(await statusesOf(again), [401, 401])
  })
})
