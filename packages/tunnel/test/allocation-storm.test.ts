import { database } from '@sallyport/core'
import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { admin, type Enrolled, somePorts, startPanel } from './support/panel.js'

t.test(
  'allocations in parallel on a Postgres server',
  { skip: skipWithout('Postgres', missingPostgres()) },
  async (t) => {
    const postgres = await startPostgres()
    t.teardown(() => postgres[Symbol.asyncDispose]())
    const portRange = somePorts(1_000)
    const plugins = [database({ url: postgres.url, pool: { max: 8 } })]
    const panel = await startPanel({ plugins, config: { portRange } })
    t.teardown(() => panel.stop())
    const post = ({ token }: Enrolled, protocol = 'tcp') =>
      panel.call('POST', '/api/tunnel/allocations', { token, json: { protocol, localPort: 25_565 } })
    const count = (answers: readonly { status: number }[]) => {
      const counts: Record<number, number> = {}
      for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
      return counts
    }
    t.afterEach(async () => {
      for (const { id } of await panel.devices(admin)) {
        await panel.call('DELETE', `/api/tunnel/devices/${id}`, { as: admin })
      }
    })

    t.test('1,000 on 1,000 ports: all placed, none twice', async (t) => {
      await panel.setQuotas({ allocationsPerUser: 1_000 })
      const devices = await Promise.all(Array.from({ length: 10 }, (_, n) => panel.enrol({ id: `user${n}` })))
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => post(devices[n % 10] as Enrolled)))
      t.same(count(answers), { 201: 1_000 })
      t.equal(new Set(answers.map(({ body }) => body.allocation.port)).size, 1_000)
      t.same(count([await post(devices[0] as Enrolled)]), { 503: 1 })
    })

    t.test('500 pairs on 1,000 ports with as many single ones: a pair has one number, or nothing', async (t) => {
      await panel.setQuotas({ allocationsPerUser: 1_000 })
      const devices = await Promise.all(['a', 'b'].map((id) => panel.enrol({ id })))
      const answers = await Promise.all(
        Array.from({ length: 600 }, (_, n) => post(devices[n % 2] as Enrolled, n % 3 === 0 ? 'udp' : 'both')),
      )
      t.same(count(answers), { 201: 600 })
      const pairs = answers.flatMap(({ body }) => (body.allocations ? [body.allocations] : []))
      t.equal(pairs.length, 400)
      t.ok(pairs.every(([tcp, udp]) => tcp.port === udp.port && tcp.protocol === 'tcp' && udp.protocol === 'udp'))
    })

    t.test('a quota of 10 under 100: exactly 10, on however many devices', async (t) => {
      await panel.setQuotas({ allocationsPerUser: 10 })
      const devices = await Promise.all(Array.from({ length: 4 }, () => panel.enrol({ id: 'zoe' })))
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => post(devices[n % 4] as Enrolled)))
      t.same(count(answers), { 201: 10, 403: 90 })
    })
  },
)
