import t, { type Test } from 'tap'
import { type ControlChannelEvents, createAgent, createControlChannel } from '../../dist/index.js'
import { createFakePanel, createQueue } from '../fake-panel.js'
import { startLinkProxy } from '../programs/link-proxy.js'
import { until } from '../support.js'

/** Nothing comes by itself within the time of a test. */
const NEVER_MS = 3_600_000
const SLOW = {
  quickMinMs: NEVER_MS,
  quickMaxMs: NEVER_MS,
  maxMs: NEVER_MS,
  featureRetryMs: NEVER_MS,
  replacedRetryMs: NEVER_MS,
}

async function world(t: Test) {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const way = await startLinkProxy(t, Number(new URL(panel.url).port))
  const agent = createAgent()
  const url = `http://127.0.0.1:${way.port}`
  let dials = 0
  // It is asked for at each dial.
  const token = () => {
    dials += 1
    return 'a-token'
  }
  const channel = createControlChannel({ panel: url, token, agent, timings: SLOW })
  t.teardown(() => Promise.all([channel.stop(), agent.stop()]))
  const ends = createQueue<ControlChannelEvents['disconnected']>()
  channel.on('disconnected', ends.push)
  return { panel, way, channel, ends, dials: () => dials }
}

t.test('a connection that is dead is found within seconds, and the next try can be had at once', async (t) => {
  const { panel, way, channel, ends } = await world(t)
  channel.start()
  await (await panel.nextConnection()).welcome(60_000)
  await until(() => channel.connected, 'connected')
  channel.probe()
  way.swallow()
  channel.probe()
  const before = performance.now()
  t.match(await ends.next('the loss'), { wasConnected: true, reason: 'timeout', retryInMs: NEVER_MS })
  t.ok(performance.now() - before < 6_000, 'before the heartbeat would have')
  way.restore()
  channel.probe()
  await (await panel.nextConnection()).welcome(60_000)
  await until(() => channel.connected, 'connected again')
})

t.test('a connection that answers stays', async (t) => {
  const { panel, channel, ends } = await world(t)
  channel.start()
  const connection = await panel.nextConnection()
  await connection.welcome(60_000)
  await until(() => channel.connected, 'connected')
  const probes: string[] = []
  connection.ws.on('ping', (data) => probes.push(String(data)))
  channel.probe()
  await until(() => probes.length > 0, 'the question')
  const answered = new Promise((resolve) => connection.ws.once('pong', resolve))
  connection.ws.ping()
  await answered
  const again = probes.length
  channel.probe()
  await until(() => probes.length > again, 'the first was answered, so the second is asked')
  t.equal(channel.connected, true)
  t.equal(ends.size(), 0)
})

t.test('tunnels that are switched off are asked about at once, a newer connection is left alone', async (t) => {
  const { panel, channel, dials } = await world(t)
  channel.start()
  const first = await panel.nextConnection()
  await first.welcome()
  const replaced = new Promise((resolve) => channel.on('replaced', resolve))
  first.ws.close(4409)
  await replaced
  channel.probe()
  await channel.stop()
  channel.probe()
  t.equal(dials(), 1)
  const waiting = new Promise((resolve) => channel.on('waiting', resolve))
  panel.refuseUpgrade = () => ({ status: 403, body: { error: 'feature_disabled' } })
  channel.start()
  await waiting
  panel.refuseUpgrade = () => undefined
  channel.probe()
  await (await panel.nextConnection()).welcome()
  await until(() => channel.connected, 'connected')
})
