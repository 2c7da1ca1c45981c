import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { startBalancer } from '../dist/balancer.js'
import { watchUpstreams } from '../dist/upstreams.js'
import { type PanelDouble, startPanelDouble } from './support/panel-double.js'
import { until } from './support/until.js'

interface Setting {
  readonly url: string
  readonly panels: readonly [PanelDouble, PanelDouble, PanelDouble]
  readonly alive: (count: number) => Promise<unknown>
}

async function open(t: Test): Promise<Setting> {
  const panels = [
    await startPanelDouble(t, 'one'),
    await startPanelDouble(t, 'two'),
    await startPanelDouble(t, 'three'),
  ] as const
  const upstreams = watchUpstreams(panels, () => undefined)
  t.teardown(() => upstreams.stop())
  const balancer = await startBalancer({ host: '127.0.0.1', port: 0, upstreams: () => upstreams })
  t.teardown(() => balancer.close())
  const alive = (count: number) => until(`${count} panels are alive`, () => upstreams.alive === count)
  await alive(3)
  return { url: `http://127.0.0.1:${balancer.port}`, panels, alive }
}

const get = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000), ...init })
  return { status: response.status, panel: response.headers.get('x-panel'), text: await response.text(), response }
}

t.test('requests go to the panels in turn, as they are', async (t) => {
  const { url, panels } = await open(t)
  const met = new Set<string | null>()
  for (let index = 0; index < 6; index += 1) met.add((await get(`${url}/x?y=%20`)).panel)
  t.equal(met.size, 3)
  const body = 'ü'.repeat(100_000)
  const { status, response } = await get(`${url}/form`, { method: 'POST', body, headers: { cookie: 's=1' } })
  t.equal(status, 200)
  t.same(response.headers.getSetCookie(), ['a=1; Path=/', 'b=2; Path=/'])
  const got = panels.flatMap(({ requests }) => requests).find(({ method }) => method === 'POST')
  t.equal(got?.body, body)
  t.match(got?.headers, { cookie: 's=1', host: new URL(url).host })
  t.ok(panels.some(({ requests }) => requests.some((request) => request.url === '/x?y=%20')))
})

t.test('what clients say of where they come from is not passed on', async (t) => {
  const { url, panels } = await open(t)
  const forged = {
    ...{ 'x-forwarded-for': '203.0.113.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' },
    ...{ 'x-real-ip': '203.0.113.1', forwarded: 'for=203.0.113.1', 'x-forwarded-port': '1' },
  }
  await get(`${url}/x`, { headers: forged })
  const [request] = panels.flatMap(({ requests }) => requests)
  const { host } = new URL(url)
  t.match(request?.headers, { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': host })
  t.notMatch(JSON.stringify(request?.headers), /203\.0\.113\.1|evil/)
})

t.test('a panel that is gone is not asked, and nothing is lost', async (t) => {
  const { url, panels, alive } = await open(t)
  await panels[0].down()
  // Before anybody has looked.
  for (let index = 0; index < 6; index += 1) {
    const { status, panel } = await get(url, { method: 'POST', body: 'x' })
    t.equal(status, 200)
    t.not(panel, 'one')
  }
  await alive(2)
  panels[1].ready = false
  await alive(1)
  for (let index = 0; index < 4; index += 1) t.equal((await get(url)).panel, 'three', 'who drains gets nothing new')
  await panels[2].down()
  const { status, response } = await get(url)
  t.equal(status === 503 || status === 502, true)
  t.equal(response.headers.get('retry-after'), '1')
  await alive(0)
  t.equal((await get(url)).status, 503)
  await panels[0].up()
  await alive(1)
  t.equal((await get(url)).panel, 'one', 'and it is asked again when it is back')
})

t.test('who dies with a question in its hands: another is asked, if that changes nothing', async (t) => {
  const { url, panels } = await open(t)
  panels[0].dies = true
  const statuses = async (method: string): Promise<number[]> => {
    const all = new Set<number>()
    for (let index = 0; index < 6; index += 1) all.add((await get(url, { method })).status)
    return [...all].sort()
  }
  t.same(await statuses('GET'), [200])
  t.same(await statuses('POST'), [200, 502])
})

t.test('event streams are passed on as they come, and end with either side', async (t) => {
  const { url, panels } = await open(t)
  const aborting = new AbortController()
  const response = await fetch(`${url}/events`, { signal: aborting.signal })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString()
  t.match(await next(), /^data: (one|two|three)\n\n$/, 'the first at once')
  const panel = panels.find(({ streams }) => streams.length > 0) as PanelDouble
  const [stream] = panel.streams
  stream?.write('data: more\n\n')
  t.equal(await next(), 'data: more\n\n')
  aborting.abort()
  await once(stream as NodeJS.EventEmitter, 'close')
  t.pass('a client that leaves is gone for the panel too')

  const second = await fetch(`${url}/events`)
  const dying = panels.find(({ streams }) => streams.some(({ destroyed }) => !destroyed)) as PanelDouble
  await dying.down()
  await t.rejects(second.text(), 'a panel that dies breaks it off')
})

t.test('WebSockets pass with their codes, refusals with their status', async (t) => {
  const { url, panels } = await open(t)
  const dial = (token: string) => {
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' }
    const socket = new WebSocket(url.replace('http', 'ws'), { headers })
    socket.on('error', () => undefined)
    t.teardown(() => socket.terminate())
    return socket
  }
  const socket = dial('good')
  const [greeting] = await once(socket, 'message')
  t.match(String(greeting), /^(one|two|three) 127\.0\.0\.1$/)
  socket.send(Buffer.alloc(70_000, 7))
  const [echo] = await once(socket, 'message')
  t.equal((echo as Buffer).length, 70_000)
  socket.send('revoke')
  const [code, reason] = await once(socket, 'close')
  t.equal(code, 4403)
  t.equal(String(reason), 'revoked')

  const [, refusal] = await once(dial('bad'), 'unexpected-response')
  t.equal(refusal.statusCode, 401)
  t.equal(refusal.headers['x-panel'], 'yes')

  await panels[0].down()
  await panels[1].down()
  const again = dial('good')
  const [from] = await once(again, 'message')
  t.equal(String(from), 'three 127.0.0.1', 'it goes where there is somebody')
  await panels[2].down()
  const [lost] = await once(again, 'close')
  t.equal(lost, 1006)
  const nobody = dial('good')
  await new Promise((resolve) => nobody.once('close', resolve))
})

t.test('metrics are not shown, and nonsense harms nobody', async (t) => {
  const { url, panels } = await open(t)
  for (const path of ['/metrics', '/metrics?x', '/metrics/']) t.equal((await get(`${url}${path}`)).status, 404)
  t.equal((await get(`${url}/metricsandmore`)).status, 200)
  const { port } = new URL(url)
  for (const said of [
    'nonsense\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
  ]) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(said)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  }
  t.equal((await get(url)).status, 200)
  t.notOk(panels.some(({ requests }) => requests.some((request) => request.url.startsWith('/metrics/'))))
})
