import { Database, database, redis } from '@sallyport/core'
import { missingPostgres, missingRedis, skipWithout, startPostgres, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { startAgent } from './support/agent.js'
import { playTcp, startEcho, stayTcp } from './support/local-service.js'
import { admin, type Panel, somePorts, startPanel } from './support/panel.js'
import { relayOf, startStandAloneRelay } from './support/stand-alone-relay.js'
import { until } from './support/until.js'

const skip = skipWithout('Postgres', missingPostgres()) || skipWithout('Redis', missingRedis())

t.test('relays of several panels', { skip }, async (t) => {
  const postgres = await startPostgres()
  const redisServer = await startRedis()
  t.teardown(async () => {
    await redisServer[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
  })
  const portRange = somePorts(300)
  const graceMs = 1_500
  const open = (): Promise<Panel> =>
    startPanel({
      plugins: [database({ url: postgres.url, pool: { max: 5 } }), redis({ url: redisServer.url })],
      config: { relay: false, portRange, relays: { graceMs } },
    })
  const [here, there] = await Promise.all([open(), open()])
  const echo = await startEcho()
  t.teardown(async () => {
    // Redis was away for a while, which the logs say.
    await Promise.all([here, there].map((panel) => panel.kernel.stop()))
    await echo.close()
  })
  const alice = { id: 'alice' }
  const tcp = { protocol: 'tcp', localPort: echo.port }

  t.test('an allocation is made, paused and removed through an instance that does not steer its relay', async (t) => {
    const relay = await startStandAloneRelay(there, { region: 'north', labels: { tier: 'one' }, capacity: 20 })
    t.teardown(() => relay.stop())
    const device = await here.enrol(alice)
    const agent = startAgent(here.url, device.token)
    t.teardown(() => agent.stop())
    const made = await here.allocate(device, tcp)
    t.match(made, { status: 'open', relayId: relay.id, relayOnline: true, host: '127.0.0.1' })
    await agent.ready()
    t.equal(await playTcp(made.port, 'across'), 'across')
    const player = await stayTcp(made.port)
    for (const panel of [here, there]) {
      const { load, ...listed } = await until('its load is known', async () => {
        const one = await relayOf(panel, relay.id)
        return one?.load.connections === 1 ? one : undefined
      })
      t.match(listed, { kind: 'standalone', online: true, region: 'north', labels: { tier: 'one' }, capacity: 20 })
      t.same(load, { allocations: 1, devices: 1, connections: 1 })
    }

    const url = `/api/tunnel/allocations/${made.id}`
    t.equal((await here.call('POST', `${url}/close`, { as: alice })).body.allocation.status, 'closed')
    await player.closed
    await t.rejects(stayTcp(made.port), { code: 'ECONNREFUSED' })
    t.equal((await here.call('POST', `${url}/open`, { as: alice })).body.allocation.status, 'open')
    t.equal(await playTcp(made.port, 'again'), 'again')
    t.equal((await there.allocations(alice))[0]?.status, 'open')
    await here.call('DELETE', url, { as: alice })
    await t.rejects(stayTcp(made.port), { code: 'ECONNREFUSED' })
  })

  t.test('a port that another program has is not given, wherever the relay is steered', async (t) => {
    const relay = await startStandAloneRelay(there)
    t.teardown(() => relay.stop())
    const device = await here.enrol(alice)
    const port = portRange.from + 7
    const { createServer } = await import('node:net')
    const squatter = createServer().listen(port, '127.0.0.1')
    t.teardown(() => squatter.close())
    const wanted = await here.call('POST', '/api/tunnel/allocations', { token: device.token, json: { ...tcp, port } })
    t.equal(wanted.status, 409)
    t.same(await here.allocations(alice), [])
  })

  t.test('a new token and a deletion here cut players at a relay that is steered there', async (t) => {
    const relay = await startStandAloneRelay(there)
    t.teardown(() => relay.stop())
    const device = await here.enrol(alice)
    const { port } = await here.allocate(device, tcp)
    const agent = startAgent(here.url, device.token)
    t.teardown(() => agent.stop())
    await agent.ready()
    const player = await stayTcp(port)
    const { body } = await here.call('POST', `/api/tunnel/devices/${device.id}/regenerate-token`, { as: alice })
    await player.closed
    const successor = startAgent(here.url, body.token)
    t.teardown(() => successor.stop())
    await successor.ready()
    const another = await stayTcp(port)
    await here.call('DELETE', `/api/tunnel/devices/${device.id}`, { as: alice })
    await another.closed
    await until('the port is free', () =>
      stayTcp(port).then(
        () => false,
        () => true,
      ),
    )
  })

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

  t.test("an organisation's own relay is its members' to see, and comes first for them", async (t) => {
    const owner = { id: 'owner', memberships: [{ organisationId: 'guild', role: 'owner' as const }] }
    const [common, own] = [
      await startStandAloneRelay(here, { publicHost: 'localhost' }),
      await startStandAloneRelay(there, { organisationId: 'guild', as: { ...admin, memberships: owner.memberships } }),
    ]
    t.teardown(() => Promise.all([common.stop(), own.stop()]))
    const ids = async (as: typeof owner | typeof alice) =>
      (await here.call('GET', '/api/tunnel/relays', { as })).body.relays
        .filter(({ online }: { online: boolean }) => online)
        .map(({ id }: { id: string }) => id)
    t.same((await ids(owner)).sort(), [common.id, own.id].sort())
    t.same(await ids(alice), [common.id])
    const theirs = await here.enrol(owner, { organisationId: 'guild' })
    t.equal((await here.allocate(theirs, tcp)).relayId, own.id)
    const hers = await here.enrol(alice)
    t.equal((await here.allocate(hers, tcp)).relayId, common.id)
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
