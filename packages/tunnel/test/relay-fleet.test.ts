import { once } from 'node:events'
import { createServer } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { missingPostgres, missingRedis, skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { startAgent } from './support/agent.js'
import { openFleet } from './support/fleet.js'
import { playTcp, stayTcp } from './support/local-service.js'
import { admin, type Panel } from './support/panel.js'
import { relayOf, startStandAloneRelay } from './support/stand-alone-relay.js'
import { until } from './support/until.js'

const skip = skipWithout('Postgres', missingPostgres()) || skipWithout('Redis', missingRedis())

t.test('relays of several panels', { skip }, async (t) => {
  const { here, there, portRange, tcp } = await openFleet(t)
  const alice = { id: 'alice' }

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
    await until('the player is cut', () => player.socket.closed)
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
    const squatter = createServer().listen(port, '127.0.0.1')
    t.teardown(() => squatter.close())
    const wanted = await here.call('POST', '/api/tunnel/allocations', { token: device.token, json: { ...tcp, port } })
    t.equal(wanted.status, 409)
    t.same(await here.allocations(alice), [])
  })

  t.test('why a port cannot be opened is told by whichever panel is asked', async (t) => {
    const relay = await startStandAloneRelay(there)
    t.teardown(() => relay.stop())
    const device = await here.enrol(alice)
    const { id, port } = await here.allocate(device, tcp)
    await here.call('POST', `/api/tunnel/allocations/${id}/close`, { as: alice })
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    t.teardown(() => squatter.close())
    await here.call('POST', `/api/tunnel/allocations/${id}/open`, { as: alice })
    const shownBy = async (panel: Panel) => {
      const one = (await panel.allocations(alice)).find((allocation) => allocation.id === id)
      return [one?.status, one?.statusError]
    }
    for (const panel of [here, there])
      await until('it is failed', async () => isDeepStrictEqual(await shownBy(panel), ['failed', 'EADDRINUSE']))
    squatter.close()
    for (const panel of [here, there])
      await until('it is open', async () => isDeepStrictEqual(await shownBy(panel), ['open', null]))
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
    await until('the player is cut', () => player.socket.closed)
    const successor = startAgent(here.url, body.token)
    t.teardown(() => successor.stop())
    await successor.ready()
    const another = await stayTcp(port)
    await here.call('DELETE', `/api/tunnel/devices/${device.id}`, { as: alice })
    await until('the next one is cut', () => another.socket.closed)
    await until('the port is free', () =>
      stayTcp(port).then(
        () => false,
        () => true,
      ),
    )
  })

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
    // Those of before may be about to go.
    const both = [common.id, own.id].sort()
    await until('she sees both', async () => isDeepStrictEqual((await ids(owner)).sort(), both))
    t.same(await ids(alice), [common.id])
    const theirs = await here.enrol(owner, { organisationId: 'guild' })
    t.equal((await here.allocate(theirs, tcp)).relayId, own.id)
    const hers = await here.enrol(alice)
    t.equal((await here.allocate(hers, tcp)).relayId, common.id)
  })
})
