import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { createFakePanel, problem } from '../fake-panel.js'
import { freePort } from '../free-port.js'
import { until } from '../support.js'
import { QUICK } from './channel-events.js'
import { panelFor, start } from './control-channel-scene.js'

t.test('Retry-After is heeded', async (t) => {
  const panel = await panelFor(t)
  panel.refuseUpgrade = () => problem(503, 'unavailable', '', { 'retry-after': '7' })
  const { events } = start(t, panel.url)
  const { retryInMs } = await events.next('disconnected')
  t.ok(retryInMs >= 7_000 && retryInMs <= 10_500, 'and spread, since others were told the same')
})

t.test('a panel that is away: tries go on, more slowly, and find it when it is back', async (t) => {
  const port = await freePort()
  const { events } = start(t, `http://127.0.0.1:${port}`)
  const waits: number[] = []
  for (let tries = 0; tries < 6; tries += 1) {
    const { reason, retryInMs } = await events.next('disconnected')
    t.equal(reason, 'unreachable')
    waits.push(retryInMs)
  }
  t.ok(Math.max(...waits.slice(0, 3)) <= QUICK.quickMaxMs)
  t.ok(Math.min(...waits.slice(4)) > QUICK.quickMaxMs)
  t.ok(Math.max(...waits) <= QUICK.maxMs)
  const panel = await createFakePanel(port)
  t.teardown(() => panel.close())
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})

t.test('a panel that welcomes and drops at once is not hammered', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const waits: number[] = []
  for (let tries = 0; tries < 6; tries += 1) {
    const connection = await panel.nextConnection()
    await connection.welcome()
    connection.ws.terminate()
    waits.push((await events.next('disconnected')).retryInMs)
  }
  t.ok(Math.min(...waits.slice(4)) > QUICK.quickMaxMs)
})

t.test('a connection that lived long makes the next tries quick again', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url, { stableAfterMs: 0 })
  for (let tries = 0; tries < 5; tries += 1) {
    const connection = await panel.nextConnection()
    await connection.welcome()
    connection.ws.terminate()
    t.ok((await events.next('disconnected')).retryInMs <= QUICK.quickMaxMs)
  }
})

t.test('a panel that falls silent is dropped within the heartbeat, one that answers is kept', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  let pings = 0
  connection.ws.on('ping', () => {
    pings += 1
  })
  await connection.welcome(500)
  await events.next('connected')
  await until(() => pings >= 5, 'pings of the agent')
  t.equal(events.seen.length, 1, 'answered pings keep it')
  const before = performance.now()
  connection.ws.pause()
  t.match(await events.next('disconnected'), { reason: 'timeout', wasConnected: true })
  t.ok(performance.now() - before < 4_000)
  connection.ws.terminate()
})

t.test('a process that was held up keeps a connection that is alive', async (t) => {
  const panel = await panelFor(t)
  const { channel, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome(500)
  await events.next('connected')
  // The timers of both ends are due long before anything is read.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_400)
  let pings = 0
  connection.ws.on('ping', () => {
    pings += 1
  })
  await until(() => pings >= 5, 'pings of the agent')
  t.equal(channel.connected, true)
  t.equal(events.seen.length, 1)
  connection.ws.pause()
  t.match(await events.next('disconnected'), { reason: 'timeout' }, 'and is still watched')
  connection.ws.terminate()
})

t.test('a socket that accepts and never answers is given up', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const { events } = start(t, `http://127.0.0.1:${port}`, { connectTimeoutMs: 60 })
  t.match(await events.next('disconnected'), { reason: 'timeout', wasConnected: false })
  t.match(await events.next('disconnected'), { reason: 'timeout' })
})

t.test('a panel that upgrades and never welcomes is given up', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url, { connectTimeoutMs: 100 })
  t.match(await events.next('disconnected'), { reason: 'timeout', wasConnected: false })
})
