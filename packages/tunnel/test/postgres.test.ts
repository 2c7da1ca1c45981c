import { Database, database } from '@sallyport/core'
import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { admin, type Enrolled, type Panel, somePorts, startPanel } from './support/panel.js'
import { until } from './support/until.js'

/** On a server statements of one instance do run at the same time; the embedded database hides what goes wrong then. */
t.test('on a Postgres server', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  const portRange = somePorts(120)
  const maxConnections = 5
  const open = async (): Promise<Panel> => {
    const plugins = [database({ url: postgres.url, pool: { max: maxConnections } })]
    return startPanel({ plugins, config: { portRange } })
  }
  const panel = await open()
  t.teardown(() => panel.stop())
  const sequelize = panel.kernel.get(Database).sequelize
  const alice = { id: 'alice' }
  const tcp = { protocol: 'tcp', localPort: 25_565 }
  const post = ({ token }: Enrolled, json: object) => panel.call('POST', '/api/tunnel/allocations', { token, json })
  const count = (statuses: readonly number[]): Record<number, number> => {
    const counts: Record<number, number> = {}
    for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }

  t.test('a quota and the range hold when everything is asked at one time', async (t) => {
    await panel.setQuotas({ allocationsPerUser: 10 })
    const mine = [await panel.enrol(alice), await panel.enrol(alice)]
    const storm = await Promise.all(Array.from({ length: 60 }, (_, n) => post(mine[n % 2] as Enrolled, tcp)))
    t.same(count(storm.map(({ status }) => status)), { 201: 10, 403: 50 })

    await panel.setQuotas({ allocationsPerUser: 1_000 })
    const many = await Promise.all(['b', 'c', 'd', 'e', 'f'].map((id) => panel.enrol({ id })))
    const rest = await Promise.all(Array.from({ length: 130 }, (_, n) => post(many[n % 5] as Enrolled, tcp)))
    t.same(count(rest.map(({ status }) => status)), { 201: 110, 503: 20 })
    const all = await panel.allocations(admin)
    t.equal(new Set(all.map(({ port }) => port)).size, 120)
    t.same([...new Set(all.map(({ status }) => status))], ['open'])
    for (const { id } of await panel.devices(admin))
      await panel.call('DELETE', `/api/tunnel/devices/${id}`, { as: admin })
    t.same(await panel.allocations(admin), [])
  })

  t.test('of approvals and denials of one code at one time one wins', async (t) => {
    const { body } = await panel.call('POST', '/api/tunnel/device/start', { json: { name: 'box' } })
    const json = { userCode: body.userCode }
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        panel.call('POST', `/api/tunnel/device/${n % 3 === 0 ? 'deny' : 'approve'}`, { as: admin, json }),
      ),
    )
    t.equal(count(answers.map(({ status }) => status))[200], 1)
  })

  t.test('allocations that wait for one another leave connections for everybody else', async (t) => {
    const device = await panel.enrol(alice)
    const [quick, waiting] = await sequelize.transaction(async (transaction) => {
      const lock = `SELECT pg_advisory_xact_lock(hashtextextended('tunnel:ports:localhost', 0))::text`
      await sequelize.query(lock, { transaction })
      const waiting = Array.from({ length: 3 * maxConnections }, () => post(device, tcp))
      let answered = false
      void Promise.race(waiting).then(() => {
        answered = true
      })
      await until('they wait in the database', async () => {
        const [rows] = await sequelize.query('SELECT count(*) FROM pg_locks WHERE NOT granted', { transaction })
        return Number((rows as { count: string }[])[0]?.count) >= 1
      })
      const quick = await panel.call('GET', '/api/tunnel/devices', { as: alice })
      t.notOk(answered, 'they do wait')
      return [quick, waiting] as const
    })
    t.equal(quick.status, 200)
    t.same(count((await Promise.all(waiting)).map(({ status }) => status)), { 201: 3 * maxConnections })
  })

  t.test('two instances give no port twice and count one quota', async (t) => {
    // The other one reads the settings when it starts.
    await panel.setQuotas({ allocationsPerUser: 30 })
    const other = await startPanel({
      plugins: [database({ url: postgres.url, pool: { max: maxConnections } })],
      config: { relay: { id: 'other', dataPort: 0, hostGroup: 'localhost' }, portRange },
    })
    t.teardown(() => other.stop())
    const device = await panel.enrol({ id: 'zoe' })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        (n % 2 === 0 ? panel : other).call('POST', '/api/tunnel/allocations', {
          as: admin,
          json: { ...tcp, deviceId: device.id },
        }),
      ),
    )
    t.same(count(answers.map(({ status }) => status)), { 201: 30, 403: 30 })
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.allocation.port)
    t.equal(new Set(made).size, 30)
  })
})
