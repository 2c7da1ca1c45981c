import { Database } from '@sallyport/core'
import t from 'tap'
import { startAgent } from '../support/agent.js'
import { openEvents } from '../support/event-client.js'
import { startEcho, stayTcp } from '../support/local-service.js'
import { admin, startPanel } from '../support/panel.js'
import { until } from '../support/until.js'
import { userHeader } from '../support/users.js'

const ann = { id: 'ann' }
const echo = await startEcho()
const panel = await startPanel({ config: { traffic: { flushIntervalMs: 60_000 } } })
t.teardown(async () => {
  await panel.stop()
  await echo.close()
})

t.test('numbers that change arrive each second, without the database', async (t) => {
  const device = await panel.enrol(ann)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const busy = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  const idle = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()
  const watcher = await openEvents(panel.url, userHeader(ann))
  await watcher.first()
  await until('both are there', () => watcher.allocations.size === 2)

  const { socket } = await stayTcp(busy.port)
  t.teardown(() => socket.destroy())
  await until('a player', () => watcher.traffic.get(busy.id)?.open === 1)

  const reads: string[] = []
  const { sequelize } = panel.kernel.get(Database)
  sequelize.addHook('beforeQuery', 'reads', (_options, query) => {
    const text = String((query as unknown as { sql?: string }).sql)
    if (/FROM tunnel_(allocations|devices|relays) /.test(text) && !/^\s*UPDATE/.test(text)) reads.push(text)
  })
  const before = watcher.told.length
  const begun = performance.now()
  for (let round = 0; round < 30; round += 1) {
    socket.write('x'.repeat(1_000))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const seconds = (performance.now() - begun) / 1_000
  sequelize.removeHook('beforeQuery', 'reads')
  await until('all bytes', () => watcher.traffic.get(busy.id)?.bytesIn === 30_004)
  const told = watcher.told.slice(before).filter(({ event }) => event === 'traffic')
  t.ok(told.length >= 2 && told.length <= seconds + 3, `${told.length} events in ${seconds.toFixed(1)} s`)
  t.ok(
    told.every(({ data }) => data.items.length === 1 && data.items[0].id === busy.id),
    'only what changed',
  )
  t.ok(
    told.some(({ data }) => Math.abs(data.items[0].bytesInPerSecond / (30_000 / seconds) - 1) < 0.5),
    'a rate',
  )
  t.same(reads, [], 'no list was read')

  const late = await openEvents(panel.url, userHeader(admin))
  await until('who comes later is told of those who play', () => late.traffic.get(busy.id)?.open === 1)
  t.notOk(late.traffic.has(idle.id))

  socket.end()
  const last = await until('nobody plays any more', () => {
    const now = watcher.traffic.get(busy.id)
    return now?.open === 0 && now.bytesInPerSecond === 0 && now.bytesOutPerSecond === 0 && now
  })
  t.match(last, { bytesIn: 30_004, bytesOut: 30_004, connections: 1 })
  const shown = (await panel.allocations(ann)).find(({ id }) => id === busy.id)?.traffic
  t.match(last, shown as object, 'as the list has it')
  const quiet = watcher.told.length
  await new Promise((resolve) => setTimeout(resolve, 2_200))
  t.equal(watcher.told.slice(quiet).filter(({ event }) => event === 'traffic').length, 0, 'then nothing is told')
  for (const client of [watcher, late]) client.close()
})
