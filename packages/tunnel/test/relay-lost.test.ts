import { Database } from '@sallyport/core'
import { missingPostgres, missingRedis, skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { startAgent } from './support/agent.js'
import { openFleet } from './support/fleet.js'
import { playTcp } from './support/local-service.js'
import { admin, type Panel } from './support/panel.js'
import { relayOf, startStandAloneRelay } from './support/stand-alone-relay.js'
import { until } from './support/until.js'

const skip = skipWithout('Postgres', missingPostgres()) || skipWithout('Redis', missingRedis())

t.test('relays that are lost, and Redis', { skip }, async (t) => {
  const { here, there, redisServer, tcp } = await openFleet(t, { graceMs: 1_500 })
  const alice = { id: 'alice' }

  t.test(
    'a relay that is gone loses its allocations to another of its host group; one without another says so',
    async (t) => {
      const first = await startStandAloneRelay(here, { hostGroup: 'pair' })
      t.teardown(() => first.stop())
      const device = await there.enrol(alice)
      const agent = startAgent(there.url, device.token)
      t.teardown(() => agent.stop())
      const made = await there.allocate(device, tcp)
      await agent.ready()
      await first.stop()
      const state = async () => (await there.allocations(alice)).find(({ id }) => id === made.id)
      t.match(await until('offline', async () => ((await state())?.status === 'offline' ? state() : undefined)), {
        relayOnline: false,
      })
      const second = await startStandAloneRelay(there, { hostGroup: 'pair' })
      t.teardown(() => second.stop())
      const moved = await until('moved', async () => {
        const now = await state()
        return now?.relayId === second.id && now.status === 'open' ? now : undefined
      })
      t.equal(moved.port, made.port)
      await until('the agent has a link to it', () => agent.agent.links().some(({ connected }) => connected))
      t.equal(await playTcp(made.port, 'moved'), 'moved')
      await until('audited', async () => {
        const text = "SELECT count(*)::integer AS n FROM core_audit WHERE action = 'allocation.moved'"
        const [rows] = await here.kernel.get(Database).sequelize.query(text)
        return (rows as { n: number }[])[0]?.n === 1
      })
      await there.call('DELETE', `/api/tunnel/devices/${second.id}`, { as: admin })
      await until('it is known no more', async () => (await relayOf(here, second.id)) === undefined)
      t.equal((await state())?.status, 'offline')
      await there.call('DELETE', `/api/tunnel/devices/${device.id}`, { as: alice })
    },
  )

  t.test('removing what a relay that is gone served waits for nobody', async (t) => {
    const other = await startStandAloneRelay(there, { region: 'south' })
    const relay = await startStandAloneRelay(there, { region: 'north' })
    t.teardown(() => other.stop())
    const device = await here.enrol(alice)
    const made = await here.allocate(device, { ...tcp, region: 'north' })
    t.equal(made.relayId, relay.id)
    await relay.stop()
    await until('it is gone', async () => (await here.allocations(alice))[0]?.status === 'offline')
    const begun = performance.now()
    t.equal((await here.call('DELETE', `/api/tunnel/allocations/${made.id}`, { as: alice })).status, 200)
    t.ok(performance.now() - begun < 1_500, 'as long as it waits for a relay that is there')
  })

  t.test('while Redis is away what needs another instance is refused, and nothing is written', async (t) => {
    const relay = await startStandAloneRelay(there)
    t.teardown(() => relay.stop())
    const device = await there.enrol({ id: 'zoe' })
    const count = async () => (await there.allocations({ id: 'zoe' })).length
    await redisServer.stop()
    const post = (panel: Panel) => panel.call('POST', '/api/tunnel/allocations', { token: device.token, json: tcp })
    const refused = await until('refused here', async () => {
      const answer = await post(here)
      return answer.status === 503 ? answer : undefined
    })
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    const before = await count()
    t.equal((await post(here)).status, 503)
    t.equal(await count(), before)
    t.equal((await post(there)).status, 201, 'where the relay is steered it goes on')
    await redisServer.start()
    await until('it heals', async () => (await post(here)).status === 201)
  })
})
