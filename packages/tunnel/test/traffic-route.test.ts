import t from 'tap'
import { startAgent } from './support/agent.js'
import { playTcp, startEcho } from './support/local-service.js'
import { admin, startPanel } from './support/panel.js'
import { until } from './support/until.js'

t.test('a chart of one allocation, live, for those who may see it', async (t) => {
  const panel = await startPanel({ config: { traffic: { flushIntervalMs: 50 } } })
  t.teardown(() => panel.stop())
  const echo = await startEcho()
  t.teardown(() => echo.close())
  const [alice, bob] = [{ id: 'alice' }, { id: 'bob' }]
  const device = await panel.enrol(alice)
  const other = await panel.enrol(bob)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const { id, port } = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()
  const url = `/api/tunnel/allocations/${id}/traffic`
  const get = (query = '', as: object = { as: alice }) => panel.call('GET', `${url}${query}`, as)

  t.match((await get()).body.now, { bytesIn: 0, bytesOut: 0, connections: 0, open: 0, bytesInPerSecond: 0 })
  t.equal(await playTcp(port, 'hello'), 'hello')
  const { body } = await get()
  t.match(body.now, { bytesIn: 5, bytesOut: 5, connections: 1 }, 'at once')
  t.match(body, { resolution: 'minute', points: Array(60).fill({ bytesIn: Number }) })
  const sum = ({ points }: { points: { bytesIn: number }[] }) => points.reduce((all, { bytesIn }) => all + bytesIn, 0)
  await until('it is in the series', async () => sum((await get()).body) === 5)
  const hours = (await get('?resolution=hour')).body
  t.same([hours.resolution, hours.points.length, sum(hours)], ['hour', 24, 5])
  t.match((await panel.allocations(alice))[0]?.traffic, { bytesIn: 5, bytesOut: 5, connections: 1, open: 0 })

  for (const as of [{ as: admin }, { token: device.token }]) t.equal((await get('', as)).status, 200)
  for (const as of [{ as: bob }, { token: other.token }]) t.equal((await get('', as)).status, 404)
  t.equal((await get('', {})).status, 401)
  for (const query of ['?resolution=day', '?from=now', '?to=2026-01-01', '?step=5', '?from=2026-01-01T00:00:00Z']) {
    t.match(await get(query), { status: 400 }, query)
  }
  for (const odd of ['0', 'x', '99999999', '1e3']) {
    t.equal((await panel.call('GET', `/api/tunnel/allocations/${odd}/traffic`, { as: alice })).status, 404, odd)
  }
})
