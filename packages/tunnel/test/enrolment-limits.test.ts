import { Database } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { admin, startPanel } from './support/panel.js'
import { until } from './support/until.js'
import type { TestUser } from './support/users.js'

const panel = await startPanel({
  config: {
    relay: false,
    enrolment: {
      intervalSeconds: 5,
      startsPerMinute: 8,
      startsPerMinuteSignedIn: 100,
      maxPending: 5,
      maxPendingPerCaller: 4,
    },
    sweepIntervalMs: 50,
  },
})
t.teardown(() => panel.stop())

const start = (as?: TestUser) =>
  panel.call('POST', '/api/tunnel/device/start', { json: { name: 'x' }, ...(as ? { as } : {}) })
const sql = (text: string) => panel.kernel.get(Database).sequelize.query(text, { type: QueryTypes.SELECT })

t.test('a caller has so many waiting and no more, also when asking all at once', async (t) => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => start({ id: 'greedy' })))
  t.equal(answers.filter(({ status }) => status === 200).length, 4)
  const refused = answers.find(({ status }) => status !== 200)
  t.same([refused?.status, refused?.body.error], [429, 'too_many_enrolments'])
  t.ok(Number(refused?.headers.get('retry-after')) > 0)
  t.equal((await start({ id: 'modest' })).status, 200, 'others go on')
})

t.test('without signing in an address is limited by number and by rate', async (t) => {
  const statuses: number[] = []
  for (let n = 0; n < 4; n += 1) statuses.push((await start()).status)
  t.same(statuses, [200, 200, 200, 200])
  t.equal((await start()).body.error, 'too_many_enrolments')
  for (let n = 0; n < 3; n += 1) await start()
  const throttled = await start()
  t.same([throttled.status, throttled.body.error], [429, 'too_many_requests'])
  t.equal((await start(admin)).status, 200, 'who is signed in is not')
})

t.test('polling faster than the interval is 429, also all at once', async (t) => {
  const { body } = await start({ id: 'eager' })
  t.equal(body.interval, 5)
  const poll = () => panel.call('GET', `/api/tunnel/device/poll?deviceCode=${body.deviceCode}`)
  const answers = await Promise.all(Array.from({ length: 10 }, poll))
  t.same(answers.map(({ status }) => status).sort(), [200, ...Array(9).fill(429)])
  const fast = answers.find(({ status }) => status === 429)
  t.equal(fast?.body.error, 'slow_down')
  const retryAfter = Number(fast?.headers.get('retry-after'))
  t.ok(retryAfter >= 1 && retryAfter <= 5)
})

t.test('dead enrolments are swept after a while, devices never', async (t) => {
  const device = await panel.enrol({ id: 'keeper' })
  await sql("UPDATE tunnel_devices SET expires_at = now() - interval '2 hours'")
  await until('swept', async () => (await sql('SELECT id FROM tunnel_devices')).length === 1)
  t.same(
    (await panel.devices(admin)).map(({ id }) => id),
    [device.id],
  )
})
