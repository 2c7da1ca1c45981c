import { database, redis } from '@sallyport/core'
import { missingPostgres, missingRedis, skipWithout, startPostgres, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { startAgent } from './support/agent.js'
import { playTcp, startEcho } from './support/local-service.js'
import { startPanel } from './support/panel.js'
import { until } from './support/until.js'

const missing = missingPostgres() ?? missingRedis()

t.test('each instance shows what passes the relay of another', { skip: skipWithout('servers', missing) }, async (t) => {
  const [postgres, cache] = [await startPostgres(), await startRedis()]
  t.teardown(async () => {
    await postgres[Symbol.asyncDispose]()
    await cache[Symbol.asyncDispose]()
  })
  // Nothing comes by the database before the end.
  const traffic = { flushIntervalMs: 3_600_000 }
  const open = (relay: false | object) =>
    startPanel({
      plugins: [database({ url: postgres.url }), redis({ url: cache.url })],
      config: { relay: relay && { dataPort: 0, ...relay }, traffic },
    })
  const there = await open({ id: 'relay' })
  let stopped = false
  t.teardown(() => (stopped ? undefined : there.stop()))
  const here = await open(false)
  t.teardown(() => here.stop())
  const echo = await startEcho()
  t.teardown(() => echo.close())
  const alice = { id: 'alice' }
  const device = await there.enrol(alice)
  const agent = startAgent(there.url, device.token)
  const { id, port } = await there.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()
  t.equal(await playTcp(port, 'hello'), 'hello')

  const shown = async () => (await here.allocations(alice))[0]?.traffic
  const last = await until('it is shown', async () => {
    const now = await shown()
    return now?.bytesOut === 5 && now.open === 0 ? now : undefined
  })
  t.same(last, { bytesIn: 5, bytesOut: 5, connections: 1, open: 0 })
  const chart = async () => (await here.call('GET', `/api/tunnel/allocations/${id}/traffic`, { as: alice })).body
  t.match((await chart()).now, { bytesIn: 5, open: 0, bytesInPerSecond: Number })
  await agent.stop()
  await there.stop()
  stopped = true
  t.match(await shown(), { bytesIn: 5, bytesOut: 5, connections: 1 }, 'stored at the end, and counted once')
  t.equal(
    (await chart()).points.reduce((all: number, { bytesIn }: { bytesIn: number }) => all + bytesIn, 0),
    5,
  )
})
