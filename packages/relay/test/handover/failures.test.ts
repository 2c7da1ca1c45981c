import t from 'tap'
import { until } from '../support.js'
import { DatagramPlayer, StreamingPlayer, visit } from './players.js'
import { startWorld, TCP } from './world.js'

for (const [what, more, timeoutMs] of [
  ['that never starts', { fault: 'silent' }, 500],
  ['that dies with the state', { fault: 'dies_at_state' }, 8_000],
  ['that dies with the sockets', { fault: 'dies_at_sockets' }, 8_000],
  ['of another version', { fault: 'other_version' }, 8_000],
  ['that is another relay', { id: 'another' }, 8_000],
] as const)
  t.test(`a successor ${what} changes nothing`, { timeout: 30_000 }, async (t) => {
    const { line, tcp, udp } = await startWorld(t)
    const stream = new StreamingPlayer(t, tcp)
    const datagrams = new DatagramPlayer(t, udp)
    await until(() => stream.receivedBytes > 0 && datagrams.received.size > 0)
    const [failure] = await Promise.allSettled([line.ask(0, 'handOver', more, timeoutMs), visit(t, tcp)])
    t.match(failure, { status: 'rejected', reason: /could not be handed over/ })
    const { size } = datagrams.received
    await Promise.all([visit(t, tcp), visit(t, tcp)])
    await until(() => datagrams.received.size > size + 10, 'datagrams on')
    t.equal(await stream.end(), undefined)
    await line.ask(0, 'apply', { revision: 2, allocations: [] })
    // And then another one serves.
    await line.ask(0, 'handOver')
    await line.ask(1, 'started')
    t.match(await line.ask(1, 'status'), { running: true, revision: 2 })
  })

t.test('when the successor is killed after it has taken over, who stayed plays on', { timeout: 30_000 }, async (t) => {
  const { line, tcp } = await startWorld(t)
  const stream = new StreamingPlayer(t, tcp)
  await until(() => stream.receivedBytes > 0)
  await line.ask(0, 'handOver')
  await line.linked(1)
  await line.ask(0, 'killHeir')
  const { receivedBytes } = stream
  await until(() => stream.receivedBytes > receivedBytes + 20_000)
  t.equal(await stream.end(), undefined)
  await line.ask(0, 'stop', 5_000)
})

t.test('what is steered after a handover concerns who stayed too', { timeout: 30_000 }, async (t) => {
  const { line, tcp } = await startWorld(t)
  const [first, second] = [new StreamingPlayer(t, tcp), new StreamingPlayer(t, tcp)]
  await until(() => first.receivedBytes > 0 && second.receivedBytes > 0)
  await line.ask(0, 'handOver')
  await t.rejects(line.ask(0, 'apply', { revision: 2, allocations: [] }), /not running/)
  await line.linked(1)
  t.equal((await line.traffic(1, TCP)).open, 2)
  await line.ask(1, 'apply', { revision: 2, allocations: [] })
  await until(() => first.error !== undefined && second.error !== undefined, 'both are cut')
  await line.ask(0, 'stop', 5_000)
  await until(async () => (await line.ask(1, 'ended')) === 2, 'their ends are told')
})
