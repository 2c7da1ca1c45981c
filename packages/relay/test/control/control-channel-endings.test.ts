import t from 'tap'
import { ControlCloseCode } from '../../dist/control/control.js'
import { createControlChannel } from '../../dist/control/control-channel.js'
import { html, problem } from '../fake-panel.js'
import { fakeAgent, panelFor, start, triesMeanwhile, watch } from './control-channel-scene.js'

for (const [code, reason] of [
  [ControlCloseCode.badToken, 'bad_token'],
  [ControlCloseCode.revoked, 'revoked'],
] as const) {
  t.test(`close code ${code} ends the channel`, async (t) => {
    const panel = await panelFor(t)
    const { channel, events } = start(t, panel.url)
    const connection = await panel.nextConnection()
    await connection.welcome()
    await events.next('connected')
    connection.ws.close(code)
    t.match(await events.next('refused'), { reason })
    t.equal(channel.connected, false)
    channel.start()
    await (await panel.nextConnection()).welcome()
    await events.next('connected')
    t.pass('and can be started again with another token')
  })
}

t.test('401 on the upgrade ends the channel', async (t) => {
  const panel = await panelFor(t)
  panel.refuseUpgrade = () => problem(401, 'unauthorized')
  const { events } = start(t, panel.url)
  t.match(await events.next('refused'), { reason: 'bad_token' })
  t.equal(await triesMeanwhile(t, panel), 0, 'no further try')
  t.equal(events.seen.length, 1)
})

t.test('401 of somebody else in its place does not', async (t) => {
  const panel = await panelFor(t)
  const answers = [html(401), { status: 401, body: { message: 'Unauthorized' } }]
  panel.refuseUpgrade = () => answers.shift()
  const { events } = start(t, panel.url)
  for (let count = 0; count < 2; count += 1) {
    t.match(await events.next('disconnected'), { reason: 'not_a_panel', detail: /HTTP 401/ })
  }
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})

t.test('a panel without the route is too old', async (t) => {
  const panel = await panelFor(t)
  panel.refuseUpgrade = () => problem(404, 'not_found', 'There is nothing here')
  const { events } = start(t, panel.url)
  t.match(await events.next('disconnected'), { reason: 'panel_too_old', detail: /update the panel/ })
})

t.test('a token that cannot be sent is refused without a connection', async (t) => {
  const agent = fakeAgent()
  for (const token of ['', 'line\r\nbreak', 'é']) {
    const channel = createControlChannel({ panel: 'http://127.0.0.1:9', token: () => token, agent })
    const events = watch(channel)
    channel.start()
    t.match(await events.next('refused'), { reason: 'bad_token' })
    await channel.stop()
  }
  const failing = createControlChannel({
    panel: 'http://127.0.0.1:9',
    agent,
    token: () => {
      throw new Error('no key ring')
    },
  })
  const events = watch(failing)
  failing.start()
  t.match(await events.next('refused'), { reason: 'bad_token' })
})

t.test('replaced: said, stays away for the time set, then returns', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url, { replacedRetryMs: 200 })
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.ws.close(ControlCloseCode.replaced)
  t.strictSame(await events.next('replaced'), { retryInMs: 200 })
  const before = performance.now()
  await panel.nextConnection()
  t.ok(performance.now() - before > 100)
})

t.test('feature_disabled on the upgrade: waits and comes when tunnels are on', async (t) => {
  const panel = await panelFor(t)
  let refusals = 0
  panel.refuseUpgrade = () => {
    refusals += 1
    return refusals <= 2 ? problem(403, 'feature_disabled', 'off') : undefined
  }
  const { events } = start(t, panel.url)
  t.match(await events.next('waiting'), { reason: 'feature_disabled' })
  t.match(await events.next('waiting'), { reason: 'feature_disabled' })
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})

t.test('feature_disabled said on a connection: waits, whatever the close code', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'error', error: 'feature_disabled', detail: 'off' })
  connection.ws.close(ControlCloseCode.revoked)
  await events.next('waiting')
  await panel.nextConnection()
})

t.test('other answers to the upgrade are failures with words, and tried again', async (t) => {
  const panel = await panelFor(t)
  const answers = [
    problem(403, 'forbidden', 'not you'),
    { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
    html(404),
    html(502),
    problem(503, 'unavailable', 'database', { 'retry-after': '0' }),
  ]
  const reasons = ['forbidden', 'redirected', 'not_a_panel', 'unavailable', 'unavailable']
  const tokens: unknown[] = []
  panel.refuseUpgrade = (headers) => {
    tokens.push(headers.authorization)
    return answers.shift()
  }
  const { events } = start(t, panel.url)
  for (const reason of reasons) t.match(await events.next('disconnected'), { reason, wasConnected: false })
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
  t.equal(tokens.length, reasons.length + 1, 'one request for each try: the redirect was not followed')
})

t.test('the reason a panel gives before a close is passed on', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  connection.send({ type: 'error', error: 'too_many_agents', detail: 'come later' })
  connection.ws.close(1013)
  t.match(await events.next('disconnected'), { reason: 'too_many_agents', detail: 'come later' })
})
