// Every successful answer of section 6 is what the panel's own document says, field by field: the typed client is made of it.
import t from 'tap'
import { type AnswerCheck, answerCheck } from '../../support/answer-schema.js'
import { until } from '../../support/deadline.js'
import { operations } from '../../support/openapi.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { startAgent } from '../../support/tunnel/agents.js'
import { newDevice } from '../../support/tunnel/devices.js'
import { watchEvents } from '../../support/tunnel/event-stream.js'
import { somePorts } from '../../support/tunnel/fleet.js'
import { echoService, join } from '../../support/tunnel/players.js'

const ports = somePorts(300)
let panel: SignInPanel
let check: AnswerCheck
/** Routes of which an answer was looked at. */
const seen = new Set<string>()
const wrong: string[] = []

t.before(async () => {
  panel = await startSignInPanel(t, { RELAY_EMBEDDED: 'true', RELAY_PORT_RANGE: `${ports.from}-${ports.to}` })
  check = await answerCheck(panel)
})

async function call(method: string, path: string, body?: object) {
  const reply = await panel.ok(method, path, { bearer: panel.admin.token, ...(body && { body }) })
  const complaint = check(method, path, reply)
  if (complaint) wrong.push(complaint)
  seen.add(`${method} ${path.replace(/\?.*/, '').replaceAll(/\/([0-9a-f-]{36}|\d+)(?=\/|$)/g, '/{id}')}`)
  return reply.body
}

t.test('each route, with everything that it can show', async (t) => {
  const start = (name: string) => call('POST', '/api/tunnel/device/start', { name })
  const [{ userCode, deviceCode }, waiting] = [await start('a box'), await start('another')]
  await call('GET', `/api/tunnel/device/poll?deviceCode=${waiting.deviceCode}`)
  await call('GET', '/api/tunnel/devices')
  const { device } = await call('POST', '/api/tunnel/device/approve', { userCode })
  const { token } = await call('GET', `/api/tunnel/device/poll?deviceCode=${deviceCode}`)
  await call('POST', '/api/tunnel/device/deny', { userCode: waiting.userCode })
  await call('PATCH', `/api/tunnel/devices/${device.id}`, { name: 'an attic' })

  const localPort = await echoService(t)
  const options = { proxyProtocol: 'none', maxConnections: 5, allow: ['127.0.0.0/8', '::1'], deny: [], idleTimeout: 60 }
  const wish = { deviceId: device.id, localPort, options: { ...options, bandwidth: 1e6 } }
  const { allocation } = await call('POST', '/api/tunnel/allocations', { ...wish, protocol: 'tcp', name: 'a game' })
  const { allocations } = await call('POST', '/api/tunnel/allocations', { ...wish, protocol: 'both' })
  const agent = startAgent(t, panel.url, token)
  await agent.ready()
  const player = await join(t, allocation.port)
  await player.echo('hello')
  const path = `/api/tunnel/allocations/${allocation.id}`
  await until('players are counted', async () => (await call('GET', `${path}/traffic`)).now.bytesIn > 0)
  await call('GET', `${path}/traffic?resolution=hour`)
  for (const list of ['devices', 'allocations', 'relays']) await call('GET', `/api/tunnel/${list}`)
  await call('PATCH', path, { name: null, options: null })
  for (const verb of ['close', 'open']) await call('POST', `${path}/${verb}`)
  await call('DELETE', `/api/tunnel/allocations/${allocations[0].id}`)
  await call('POST', `/api/tunnel/devices/${device.id}/regenerate-token`)
  await call('DELETE', `/api/tunnel/devices/${device.id}`)
  await call('DELETE', `/api/tunnel/devices/${(await newDevice(panel)).id}/delete`)
  t.same(wrong, [])

  const all = (await operations(panel)).filter(({ path }) => path.startsWith('/api/tunnel'))
  const named = all.map(({ method, path }) => `${method} ${path}`).filter((one) => !one.endsWith('/events'))
  t.same([...seen].sort(), named.sort(), 'none is missing here')
})

t.test('what the stream tells is what the lists give', async (t) => {
  const device = await newDevice(panel)
  await call('POST', '/api/tunnel/allocations', { deviceId: device.id, localPort: 9, protocol: 'both' })
  const stream = await watchEvents(t, panel.url, { bearer: panel.admin.token })
  for (const name of ['devices', 'allocations', 'relays'] as const) {
    await until(name, () => stream.told.some(({ event }) => event === name))
    const items = [...stream[name].values()]
    t.ok(items.length > 0)
    const reply = { status: 200, headers: {}, cookies: [], text: JSON.stringify(items), body: { [name]: items } }
    t.equal(check('GET', `/api/tunnel/${name}`, reply), undefined, name)
  }
})

t.test('the rest of the document’s answers that people see', async (t) => {
  wrong.length = 0
  const { user } = await call('POST', '/api/users', { email: 'a@example.com', password: 'a long enough password' })
  await call('PATCH', `/api/users/${user.id}`, { quotas: { allocationsPerUser: 3 } })
  const { organisation } = await call('POST', '/api/organisations', { name: 'Acme' })
  await call('PUT', `/api/organisations/${organisation.id}/members/${user.id}`, { role: 'member' })
  await call('GET', `/api/organisations/${organisation.id}`)
  await call('POST', '/api/apikeys', { name: 'a key', type: 'client', permissions: ['tunnels:read'] })
  for (const path of ['users', 'organisations', 'apikeys', 'apikeys/my', 'settings', 'audit']) {
    await call('GET', `/api/${path}`)
  }
  for (const path of ['session', 'sessions', 'passkeys', '2fa', '2fa/setup']) await call('GET', `/api/auth/${path}`)
  await call('GET', '/api/auth/passkey/register-challenge')
  await call('GET', '/api/auth/passkey/authenticate-challenge')
  await call('PATCH', '/api/settings', { quotas: { allocationsPerUser: 11 } })
  t.same(wrong, [])
})
