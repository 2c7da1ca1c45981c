import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { WebSocketServer } from 'ws'

/** Something that answers as a panel would, and says which one it is. */
export interface PanelDouble {
  readonly name: string
  readonly host: string
  readonly port: number
  ready: boolean
  /** Takes the connection and breaks it off without an answer. */
  dies: boolean
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[]
  /** Open event streams, to be written to. */
  readonly streams: ServerResponse[]
  /** Stops listening, or listens again. */
  down(): Promise<void>
  up(): Promise<void>
}

export async function startPanelDouble(t: Test, name: string): Promise<PanelDouble> {
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    if (request.url === '/api/health/ready') return response.writeHead(double.ready ? 200 : 503).end()
    if (double.dies) return request.socket.destroy()
    const { method = '', url = '', headers } = request
    double.requests.push({ method, url, headers, body: await text(request) })
    response.setHeader('x-panel', name)
    response.setHeader('set-cookie', ['a=1; Path=/', 'b=2; Path=/'])
    if (url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${name}\n\n`)
      return double.streams.push(response)
    }
    return response.end(`hello from ${name}`)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  const webSockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    const { authorization } = request.headers
    if (authorization !== 'Bearer good') {
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\nX-Panel: yes\r\nConnection: close\r\n\r\nnone')
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.send(`${name} ${request.headers['x-forwarded-for']}`)
      webSocket.on('message', (data) => {
        if (String(data) === 'revoke') webSocket.close(4403, 'revoked')
        else webSocket.send(data)
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const down = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  t.teardown(down)
  const double: PanelDouble = {
    ...{ name, host: '127.0.0.1', port, ready: true, dies: false, requests: [], streams: [], down },
    async up() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
  }
  return double
}
