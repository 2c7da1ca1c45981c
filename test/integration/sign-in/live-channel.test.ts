// A live channel does not outlive what it was opened by.
import t from 'tap'
import { WebSocket } from 'ws'
import { event, within } from '../../support/deadline.js'
import { type Person, type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'

let panel: SignInPanel

t.before(async () => {
  panel = await startSignInPanel(t)
})

interface Device {
  readonly id: string
  readonly token: string
}

async function newDevice(owner: Person): Promise<Device> {
  const { body: started } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'thing' } })
  const body = { userCode: started.userCode, ownerId: owner.id }
  const { body: approved } = await panel.ok('POST', '/api/tunnel/device/approve', { bearer: panel.admin.token, body })
  const { body: polled } = await panel.ok('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  return { id: approved.device.id, token: polled.token }
}

const address = (path = '/api/tunnel/ws') =>
  `${panel.url.replace('http', 'ws').replace('localhost', '127.0.0.1')}${path}`

async function open(token: string): Promise<WebSocket> {
  const socket = new WebSocket(address(), { headers: { authorization: `Bearer ${token}` } })
  t.teardown(() => socket.terminate())
  await event(socket, 'open')
  return socket
}

/** Status of a refused upgrade, or close code of one that was accepted only to say so. */
async function refusal(path: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(address(path), { headers })
  t.teardown(() => socket.terminate())
  socket.on('error', () => undefined)
  return within(
    'the refusal',
    new Promise<number>((resolve) => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
      socket.on('close', (code) => resolve(code))
    }),
  )
}

t.test('the channel is closed at once when its device or owner loses the right to it', async (t) => {
  const asAdmin = { bearer: panel.admin.token }
  const ends: [name: string, end: (device: Device, owner: Person) => Promise<unknown>][] = [
    ['token regenerated', ({ id }) => panel.ok('POST', `/api/tunnel/devices/${id}/regenerate-token`, asAdmin)],
    ['device deleted', ({ id }) => panel.ok('DELETE', `/api/tunnel/devices/${id}/delete`, asAdmin)],
    [
      'owner suspended',
      (_, { id }) => panel.ok('PATCH', `/api/users/${id}`, { ...asAdmin, body: { suspended: true } }),
    ],
    ['owner deleted', (_, { id }) => panel.ok('DELETE', `/api/users/${id}`, asAdmin)],
  ]
  for (const [name, end] of ends) {
    const owner = await panel.newPerson()
    const device = await newDevice(owner)
    const socket = await open(device.token)
    const closed = event(socket, 'close')
    await end(device, owner)
    const [code] = await closed
    t.equal(code, 4403, name)
    t.match(
      await refusal('/api/tunnel/ws', { authorization: `Bearer ${device.token}` }),
      /^4(401|03|01|403)$/,
      `${name}: again`,
    )
  }
})

t.test('nothing but a device’s token in the header opens it', async (t) => {
  const owner = await panel.newPerson()
  const { token } = await newDevice(owner)
  const { key } = await panel.newKey(panel.admin, { type: 'admin', permissions: undefined })
  const refused: [name: string, path: string, headers: Record<string, string>][] = [
    ['nothing', '/api/tunnel/ws', {}],
    ['a session', '/api/tunnel/ws', { authorization: `Bearer ${panel.admin.token}` }],
    ['a cookie', '/api/tunnel/ws', { cookie: `session=${panel.admin.token}` }],
    [
      'a cookie of another site',
      '/api/tunnel/ws',
      { cookie: `session=${owner.token}`, origin: 'https://evil.example' },
    ],
    ['an administrator’s key', '/api/tunnel/ws', { 'x-api-key': key }],
    ['the token in the URL', `/api/tunnel/ws?token=${token}`, {}],
    ['the token in a cookie', '/api/tunnel/ws', { cookie: `session=${token}` }],
    ['the token as key', '/api/tunnel/ws', { authorization: `ApiKey ${token}` }],
    ['two principals', '/api/tunnel/ws', { authorization: `Bearer ${token}`, cookie: `session=${owner.token}` }],
  ]
  for (const [name, path, headers] of refused) t.match(await refusal(path, headers), /^4(\d\d|40\d)$/, name)
  const socket = await open(token)
  socket.close()
})
