import { EventEmitter } from 'node:events'
import t from 'tap'
import { allocation, dial, ending, readBytes, startEcho, startTunnel, until } from '../support.js'

t.test('a stop that is called again makes the time shorter, never longer', async (t) => {
  const echo = await startEcho(t)
  const { relay, port } = await startTunnel(t, echo.port)
  const player = await dial(t, port)
  player.write('hello')
  await readBytes(player, 5)
  const stopped = relay.stop({ graceMs: 60_000 })
  const longer = relay.stop({ graceMs: 120_000 })
  player.write('still')
  t.equal(String(await readBytes(player, 5)), 'still')
  await relay.stop()
  await Promise.all([stopped, longer])
  t.not(await ending(player), 'end')
  await relay.stop({ graceMs: 60_000 })
})

t.test('who must go while it stops is cut, whoever may stay stays', async (t) => {
  const echo = await startEcho(t)
  const { relay, port } = await startTunnel(t, echo.port)
  await relay.apply({ revision: 2, allocations: [allocation(1, echo.port, { port }), allocation(2, echo.port)] })
  const second = relay.status().allocations.find(({ allocationId }) => allocationId === 2)
  const [leaves, stays] = [await dial(t, port), await dial(t, second?.port ?? 0)]
  for (const player of [leaves, stays]) {
    player.write('hello')
    await readBytes(player, 5)
  }
  const stopped = relay.stop({ graceMs: 60_000 })
  t.equal(relay.status().running, false)
  t.ok(relay.ticketKey.length >= 32, 'a panel that comes back is told of it')
  await relay.change({ revision: 3, upsert: [allocation(3, echo.port)], remove: [1] })
  t.equal(relay.revision, 3)
  t.notOk(relay.status().allocations.some(({ allocationId }) => allocationId === 3))
  t.not(await ending(leaves), 'end')
  stays.write('still')
  t.equal(String(await readBytes(stays, 5)), 'still')
  await relay.apply({ revision: 4, allocations: [] })
  t.not(await ending(stays), 'end')
  await stopped
  await t.rejects(relay.apply({ revision: 5, allocations: [] }), { code: 'RELAY_ERR_NOT_RUNNING' })
  t.throws(() => relay.ticketKey, { code: 'RELAY_ERR_NOT_RUNNING' })
})

t.test('what is applied during a handover that fails is in force after it', async (t) => {
  const echo = await startEcho(t)
  const { relay } = await startTunnel(t, echo.port)
  const silent = Object.assign(new EventEmitter(), { connected: true, send: () => true })
  const handedOver = relay.handOver(silent, { timeoutMs: 200 })
  const applied = relay.change({ revision: 2, upsert: [allocation(2, echo.port)], remove: [] })
  relay.disconnectDevice('another')
  await t.rejects(handedOver, { code: 'RELAY_ERR_HANDOVER_FAILED' })
  await applied
  t.equal(relay.revision, 2)
  await until(() => relay.status().allocations.length === 2)
  t.equal(relay.status().running, true)
})
