// What a panel's gateway is compared with: `ws` alone, which welcomes whoever says hello and answers pings.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const welcome = JSON.stringify({ type: 'welcome', protocol: 1, deviceId: 'bare', name: 'bare', heartbeatMs: 4_000 })
const state = JSON.stringify({ type: 'state', revision: 1, allocations: [], relays: [] })
const server = createServer()
const sockets = new WebSocketServer({ server, path: '/api/tunnel/ws', perMessageDeflate: false, clientTracking: false })
sockets.on('connection', (socket) => {
  socket.on('error', () => undefined)
  socket.once('message', () => {
    socket.send(welcome)
    socket.send(state)
  })
})
process.on('message', ({ usage }) => {
  if (!usage) return
  const { user, system } = process.cpuUsage()
  const asItIs = process.memoryUsage().rss
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send({ usage: { rss: asItIs, rssAfterGc: rss, heap: heapUsed + external, cpuMicroseconds: user + system } })
})
process.on('SIGTERM', () => process.exit(0))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
