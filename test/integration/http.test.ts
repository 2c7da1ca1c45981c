// Sections 1 and 2 of the contract, as a stranger's program sees the reference server.
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { type Api, api, signIn } from '../support/api.js'
import { event } from '../support/deadline.js'
import { type Panel, panelEnvironment, startPanel, temporaryDirectory } from '../support/panel.js'

let panel: Panel
let admin: Api

t.before(async () => {
  const directory = await temporaryDirectory(t)
  panel = await startPanel(t, panelEnvironment(join(directory, 'data')))
  admin = await signIn(panel.url)
})

const post = (path: string, body: string, type = 'application/json') =>
  fetch(new URL(path, panel.url), { method: 'POST', body, headers: { 'content-type': type } })

async function problem(response: Response): Promise<Record<string, unknown>> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json')) throw new Error(`${response.status} came as ${type}`)
  return (await response.json()) as Record<string, unknown>
}

t.test('whatever is wrong is a problem document with status, code and request id', async (t) => {
  const cases: [name: string, response: Promise<Response>, status: number, error: string | RegExp][] = [
    ['unknown route', fetch(`${panel.url}/api/nothing`), 404, 'not_found'],
    ['unknown page', fetch(`${panel.url}/nothing.html`), 404, 'not_found'],
    ['wrong method', fetch(`${panel.url}/api/auth/login`), 405, 'method_not_allowed'],
    ['wrong method for a page', fetch(panel.url, { method: 'DELETE' }), 405, 'method_not_allowed'],
    ['not JSON', post('/api/auth/login', '{"email":'), 400, 'malformed_json'],
    ['another type', post('/api/auth/login', '<a/>', 'text/xml'), 415, 'unsupported_media_type'],
    ['plain text', post('/api/auth/login', '{}', 'text/plain'), 415, 'unsupported_media_type'],
    ['too large', post('/api/auth/login', JSON.stringify({ email: 'x'.repeat(3_000_000) })), 413, 'payload_too_large'],
    ['missing fields', post('/api/auth/login', '{}'), 400, 'validation_failed'],
    ['wrong types', post('/api/auth/login', '{"email":["a"],"password":1}'), 400, 'validation_failed'],
    ['no object', post('/api/auth/login', '[1]'), 400, 'validation_failed'],
    ['no credentials', fetch(`${panel.url}/api/tunnel/devices`), 401, /^\w+$/],
    ['broken escape', fetch(`${panel.url}/api/%zz`), 400, /^\w+$/],
  ]
  for (const [name, pending, status, error] of cases) {
    const response = await pending
    const body = await problem(response)
    t.equal(response.status, status, name)
    t.match(body, { type: String, title: String, status, detail: String, error, requestId: String }, name)
    t.notMatch(JSON.stringify(body), /node_modules|\.js:\d|SELECT/, name)
  }
})

t.test('a refused body names its fields', async (t) => {
  const body = await problem(await post('/api/auth/login', '{"email":["a"]}'))
  const paths = (body['errors'] as { path: string }[]).map(({ path }) => path)
  t.ok(paths.includes('/email'), 'the wrong one')
  t.ok(paths.includes('/password'), 'the missing one')
})

t.test('nothing is coerced, and no NUL gets in', async (t) => {
  const settings = await admin.request('PATCH', '/api/settings', { features: { tunnels: 'false' } })
  t.equal(settings.status, 400)
  const device = await admin.request('POST', '/api/tunnel/device/start', { name: 'a\0b' })
  t.equal(device.status, 400)
})

t.test('401 names the schemes', async (t) => {
  const response = await fetch(`${panel.url}/api/auth/session`)
  t.match(response.headers.get('www-authenticate'), /Bearer/)
  const malformed = await fetch(`${panel.url}/api/auth/session`, { headers: { authorization: 'garbage' } })
  t.equal(malformed.status, 401)
})

t.test('bytes that are no HTTP are answered and the server lives on', async (t) => {
  const { port, hostname } = new URL(panel.url)
  const socket = connect(Number(port), hostname)
  socket.write('NONSENSE / HTTP/9.9\r\n\r\n')
  const [data] = (await event(socket, 'data')) as [Buffer]
  t.match(data.toString(), /^HTTP\/1\.1 400 /)
  socket.destroy()
  t.equal((await fetch(`${panel.url}/api/health/live`)).status, 200)
})

t.test('health, metrics, documents and the dashboard answer', async (t) => {
  t.equal((await fetch(`${panel.url}/api/health/live`)).status, 200)
  t.equal((await fetch(`${panel.url}/api/health/ready`)).status, 200)
  const metrics = await (await fetch(`${panel.url}/metrics`)).text()
  t.match(metrics, /^# TYPE \w+ \w+$/m)
  const document = await api(panel.url).ok<{ openapi: string; paths: object }>('GET', '/api/openapi.json')
  t.match(document.openapi, /^3\.1\./)
  for (const path of ['/api/auth/login', '/api/tunnel/device/start', '/api/tunnel/allocations/{id}', '/api/settings']) {
    t.ok(path in document.paths, path)
  }
  const docs = await fetch(`${panel.url}/api/docs`)
  t.match(docs.headers.get('content-type'), /^text\/html/)
  const page = await fetch(panel.url)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(await page.text(), /<title>Sallyport<\/title>/)
  t.match(page.headers.get('content-security-policy'), /script-src 'self'/)
})

t.test('the flag tunnels is in force at once, for everybody and everything under /api/tunnel', async (t) => {
  await admin.ok('PATCH', '/api/settings', { features: { tunnels: false } })
  for (const path of ['/api/tunnel/devices', '/api/tunnel/nothing', '/api/tunnel/ws', '//api/tunnel/devices']) {
    const answer = await admin.request(path.startsWith('//') ? 'GET' : 'GET', `${panel.url}${path}`)
    t.match(answer, { status: 403, body: { error: 'feature_disabled' } }, path)
    t.equal((await fetch(`${panel.url}${path}`)).status, 403, `${path} without credentials`)
  }
  await admin.ok('PATCH', '/api/settings', { features: { tunnels: true } })
  t.equal((await admin.request('GET', '/api/tunnel/devices')).status, 200)
})
