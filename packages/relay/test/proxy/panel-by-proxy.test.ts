import t, { type Test } from 'tap'
import { createPanelClient } from '../../dist/cli/panel/panel-client.js'
import { type ControlChannel, createAgent, createControlChannel } from '../../dist/index.js'
import { createFakePanel, createQueue, type FakePanel, problem } from '../fake-panel.js'
import { within } from '../support.js'
import { type HttpProxy, startHttpProxy } from './http-proxy.js'

const PANEL = 'http://panel.example:8080'
const TOKEN = 'device-token-0123456789'

async function world(t: Test): Promise<{ panel: FakePanel; proxy: HttpProxy }> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const proxy = await startHttpProxy(t, { 'panel.example': Number(new URL(panel.url).port) })
  return { panel, proxy }
}

function openChannel(t: Test, proxy: URL): { channel: ControlChannel; ends: ReturnType<typeof createQueue<unknown>> } {
  const agent = createAgent()
  const timings = { quickMinMs: 5, quickMaxMs: 10, slowStartMs: 20, maxMs: 50, connectTimeoutMs: 2_000 }
  const channel = createControlChannel({ panel: PANEL, token: () => TOKEN, agent, proxy, timings })
  const ends = createQueue<unknown>()
  channel.on('disconnected', ends.push)
  channel.on('refused', (refused) => ends.push({ refused }))
  t.teardown(() => Promise.all([channel.stop(), agent.stop()]))
  channel.start()
  return { channel, ends }
}

t.test("requests of the panel's API go through the proxy", async (t) => {
  const { panel, proxy } = await world(t)
  panel.routes.set('GET /api/tunnel/allocations', () => ({ body: { allocations: [] } }))
  const client = createPanelClient({ panel: new URL(PANEL), authorization: `Bearer ${TOKEN}`, proxy: proxy.url })
  t.match(await client.request('get', '/api/tunnel/allocations'), { ok: true, body: { allocations: [] } })
  t.same(proxy.asked, ['panel.example:8080'])
  t.equal(panel.requests[0]?.headers.authorization, `Bearer ${TOKEN}`)
  t.equal(panel.requests[0]?.headers.host, 'panel.example:8080')
  t.notMatch(proxy.headers, { authorization: String }, 'the token is not shown to the proxy')
  panel.routes.set('GET /api/tunnel/allocations', () => problem(401, 'unauthorized'))
  t.match(await client.request('get', '/api/tunnel/allocations'), { ok: false, kind: 'unauthorized' })
})

t.test("a proxy's refusal is never taken for the panel's", async (t) => {
  const { proxy } = await world(t)
  const url = new URL(proxy.url)
  url.password = 'hunter2'
  const client = createPanelClient({ panel: new URL(PANEL), proxy: url, authorization: `Bearer ${TOKEN}` })
  const { channel, ends } = openChannel(t, url)
  for (const [status, error] of [
    [404, 'proxy_refused'],
    [401, 'proxy_credentials'],
    [403, 'proxy_refused'],
    [407, 'proxy_credentials'],
    [502, 'unreachable'],
  ] as const) {
    proxy.refuseWith = status
    const answer = await client.request('get', '/api/tunnel/allocations')
    t.match(answer, { ok: false, kind: 'out_of_reach', error })
    t.notMatch(JSON.stringify(answer), /hunter2/)
    for (let reason = ''; reason !== error; ) {
      const end = (await ends.next('an end')) as { reason?: string }
      t.notMatch(end, { refused: Object })
      t.notMatch(JSON.stringify(end), /hunter2/)
      reason = end.reason ?? ''
    }
  }
  t.equal(channel.connected, false)
})

t.test('the control channel goes through the proxy, and comes back through it', async (t) => {
  const { panel, proxy } = await world(t)
  const { channel, ends } = openChannel(t, proxy.url)
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
  const connected = new Promise((resolve) => channel.on('connected', resolve))
  await connection.welcome()
  await within(connected, 'the welcome')
  proxy.cut()
  t.match(await ends.next('the cut'), { wasConnected: true })
  const again = await panel.nextConnection()
  await again.welcome()
  const state = new Promise((resolve) => channel.on('state', resolve))
  again.send({ type: 'state', revision: 1, allocations: [], relays: [] })
  await within(state, 'a state')
  t.equal(channel.connected, true)
  t.same(new Set(proxy.asked), new Set(['panel.example:8080']))
})

t.test('a command that is cancelled, or out of patience, does not stay with a silent proxy', async (t) => {
  const { proxy } = await world(t)
  proxy.silent = true
  const client = createPanelClient({ panel: new URL(PANEL), proxy: proxy.url, timeoutMs: 50 })
  t.match(await client.request('get', '/api/tunnel/allocations'), { ok: false, kind: 'out_of_reach', error: 'timeout' })
  const patient = createPanelClient({ panel: new URL(PANEL), proxy: proxy.url, timeoutMs: 60_000 })
  const cancel = new AbortController()
  const answer = patient.request('get', '/api/tunnel/allocations', { signal: cancel.signal })
  setTimeout(() => cancel.abort(), 20)
  t.match(await within(answer, 'the end'), { kind: 'aborted' })
  const { channel } = openChannel(t, proxy.url)
  await within(channel.stop(), 'the stop of a channel that waits for the proxy')
})
