import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { createPanelClient } from '../../dist/cli/panel/panel-client.js'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { createAgent, createControlChannel } from '../../dist/index.js'
import { within } from '../support.js'
import { type HttpProxy, startHttpProxy } from './http-proxy.js'

const PANEL = 'https://panel.example'

/** A panel with TLS behind a proxy with TLS. */
async function world(t: Test): Promise<{ proxy: HttpProxy; names: unknown[] }> {
  const names: unknown[] = []
  const server = createServer(createSelfSigned(), (_request, response) => {
    response.setHeader('content-type', 'application/json').end('{}')
  })
  server.on('secureConnection', (socket) => names.push(socket.servername))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (message) => sockets.emit('heard', String(message))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const proxy = await startHttpProxy(t, { 'panel.example': port }, createSelfSigned())
  heard = new Promise((resolve) => sockets.on('heard', resolve))
  return { proxy, names }
}

let heard: Promise<unknown> = Promise.resolve()

t.test('certificates are looked at: that of the proxy, and that of the panel behind it', async (t) => {
  const { proxy } = await world(t)
  const request = (through: URL) =>
    createPanelClient({ panel: new URL(PANEL), proxy: through }).request('get', '/api/tunnel/allocations')
  t.match(await request(proxy.url), { ok: false, error: 'proxy_unreachable' })
  t.same(proxy.asked, [], 'it is not asked for anything')
  const plain = await startHttpProxy(t, { 'panel.example': Number((await world(t)).proxy.url.port) })
  t.match(await request(plain.url), { ok: false, error: 'tls' })
  t.same(plain.asked, ['panel.example:443'])
})

t.test('TLS within TLS carries requests and the control channel', async (t) => {
  const { proxy, names } = await world(t)
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
  })
  const client = createPanelClient({ panel: new URL(PANEL), proxy: proxy.url })
  t.match(await client.request('get', '/api/tunnel/allocations'), { ok: true })
  const agent = createAgent()
  const channel = createControlChannel({ panel: PANEL, token: () => 'a-token', agent, proxy: proxy.url })
  t.teardown(() => Promise.all([channel.stop(), agent.stop()]))
  channel.start()
  t.match(JSON.parse(String(await within(heard, 'hello'))), { type: 'hello' })
  t.same(names, ['panel.example', 'panel.example'], 'the panel is asked for by its name')
})
