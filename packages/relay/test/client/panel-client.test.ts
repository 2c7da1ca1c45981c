import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { createPanelClient, type Device, PanelProblem, unwrap } from '../../dist/client/index.js'
import { createFakePanel, type FakePanel, problem } from '../fake-panel.js'
import { freePort } from '../free-port.js'
import { within } from '../support.js'

async function fakePanel(t: Test): Promise<FakePanel> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  return panel
}

async function problemOf(promise: Promise<unknown>): Promise<PanelProblem> {
  const failure = await within(
    promise.then(
      () => undefined,
      (error) => error,
    ),
    'the answer',
  )
  if (!(failure instanceof PanelProblem)) throw new Error(`no PanelProblem but ${failure}`)
  return failure
}

t.test(
  'a request has the method, path, query, body and headers that were asked for, and its data is typed',
  async (t) => {
    const server = await fakePanel(t)
    server.routes.set('GET /below/api/tunnel/devices', () => ({ body: { devices: [{ name: 'home' }] } }))
    server.routes.set('PATCH /below/api/tunnel/allocations/7%2F8', () => ({ body: { allocation: { port: 1 } } }))
    server.routes.set('GET /below/api/tunnel/device/poll', () => ({ body: { approved: false, interval: 5 } }))
    const panel = createPanelClient({ url: `${server.url}/below/`, headers: { authorization: 'ApiKey k' } })
    const { devices }: { devices: Device[] } = await unwrap(panel.GET('/api/tunnel/devices'))
    t.equal(devices[0]?.name, 'home')
    const params = { path: { id: '7/8' } }
    const changed = await unwrap(panel.PATCH('/api/tunnel/allocations/{id}', { params, body: { localPort: 2 } }))
    t.equal(changed.allocation.port satisfies number, 1)
    const poll = await unwrap(panel.GET('/api/tunnel/device/poll', { params: { query: { deviceCode: 'a&b=c' } } }))
    t.equal(poll.approved, false)
    t.match(server.requests, [
      { method: 'GET', headers: { authorization: 'ApiKey k' } },
      { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: { localPort: 2 } },
      { method: 'GET' },
    ])
    t.equal(server.requests[2]?.query.get('deviceCode'), 'a&b=c')
  },
)

t.test('without unwrap a refusal is a value', async (t) => {
  const server = await fakePanel(t)
  server.routes.set('GET /api/tunnel/devices', () => problem(403, 'feature_disabled', 'Tunnels are off'))
  const { data, error, response } = await createPanelClient({ url: server.url }).GET('/api/tunnel/devices')
  t.equal(data, undefined)
  t.equal(error?.error, 'feature_disabled')
  t.equal(response.status, 403)
})

t.test('no answer', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}`
  const panel = createPanelClient({ url, headers: { authorization: 'ApiKey hunter2' } })
  const away = await problemOf(panel.GET('/api/tunnel/devices'))
  t.match(away, { status: 0, error: 'network', message: 'The panel is out of reach', errors: [] })
  t.notMatch(JSON.stringify(away) + away.stack, /hunter2/)
})

t.test('an answer that does not come in time, and one that nobody waits for any more', async (t) => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  silent.on('connection', (socket) => t.teardown(() => socket.destroy()))
  t.match(await problemOf(unwrap(createPanelClient({ url, timeoutMs: 50 }).GET('/api/tunnel/devices'))), {
    status: 0,
    error: 'timeout',
  })
  const stop = new AbortController()
  const asked = createPanelClient({ url }).GET('/api/tunnel/devices', { signal: stop.signal })
  silent.once('connection', () => stop.abort(new Error('hunter2')))
  t.match(await problemOf(unwrap(asked)), { status: 0, error: 'aborted', message: 'Cancelled' })
})

t.test('an answer that breaks off half-way', async (t) => {
  const broken = createServer((socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"devices":['),
    )
  })
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => broken.close())
  const { port } = broken.address() as { port: number }
  const panel = createPanelClient({ url: `http://127.0.0.1:${port}` })
  t.match(await problemOf(unwrap(panel.GET('/api/tunnel/devices'))), { error: 'network' })
})

t.test('a redirect is not followed, and a credential stays where it was sent', async (t) => {
  const [server, other] = [await fakePanel(t), await fakePanel(t)]
  server.routes.set('GET /api/tunnel/devices', () => ({ status: 302, headers: { location: `${other.url}/login` } }))
  const panel = createPanelClient({ url: server.url, headers: { 'x-api-key': 'hunter2' } })
  t.match(await problemOf(unwrap(panel.GET('/api/tunnel/devices'))), { error: 'redirected', status: 302 })
  t.equal(other.requests.length, 0)
})

t.test('a fetch of the caller’s own', async (t) => {
  const asked: string[] = []
  const panel = createPanelClient({
    url: new URL('https://panel.example/x'),
    fetch: async ({ method, url }) => {
      asked.push(`${method} ${url}`)
      return Response.json({ devices: [] })
    },
  })
  t.same(await unwrap(panel.GET('/api/tunnel/devices')), { devices: [] })
  t.same(asked, ['GET https://panel.example/x/api/tunnel/devices'])
})

t.test('an address that is none is misuse, as is none outside a page', async (t) => {
  for (const url of [undefined, '', 'panel.example.com', 'ftp://panel.example', 'https://me:hunter2@panel.example']) {
    const make = () => createPanelClient(url === undefined ? {} : { url })
    t.throws(make, { code: 'RELAY_ERR_INVALID_OPTION', message: /^((?!hunter2).)*$/ }, `${url}`)
  }
})
