import { once } from 'node:events'
import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

interface Teardown {
  teardown(handler: () => unknown): void
}

export interface PanelOptions {
  host?: string
  tls?: { key: string; cert: string }
  heartbeatMs?: number
  /** The desired state for each connection. */
  state?: () => { allocations: unknown[]; relays: { id: string; ticket: string }[] }
  /** A new ticket, when one is asked for. */
  ticket?: (relayId: string) => string
}

/** A panel that welcomes whoever comes, for as long as it stands. */
export interface Panel {
  readonly port: number
  readonly url: string
  /** Agents that are connected, by the panel's knowledge. */
  online(): number
  /** Welcomed since the start. */
  readonly welcomed: number
  /** What stands in the panel's place answers instead, upgrades too; undefined: the panel is back. */
  answer: RequestListener | undefined
  /** Ends all connections. */
  drop(): void
}

/** Scheme, host and port of the panel are its own; certificates are the caller's. */
export async function startPanel(t: Teardown, options: PanelOptions = {}): Promise<Panel> {
  const { host = '127.0.0.1', tls, heartbeatMs = 4_000 } = options
  const sockets = new Set<Socket>()
  const open = new Set<WebSocket>()
  const wss = new WebSocketServer({ noServer: true })
  const respond: RequestListener = (request, response) => {
    if (panel.answer) panel.answer(request, response)
    else response.writeHead(404).end()
  }
  const server = tls === undefined ? createPlainServer(respond) : createTlsServer(tls, respond)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => {
    if (panel.answer === undefined) {
      wss.handleUpgrade(request, socket, head, welcome)
      return
    }
    // Answers as a server does that knows no WebSocket.
    server.emit('request', request, responseOn(socket as Socket))
  })

  function welcome(ws: WebSocket): void {
    open.add(ws)
    let heard = true
    const heartbeat = setInterval(() => {
      if (!heard) ws.terminate()
      heard = false
      ws.ping()
    }, heartbeatMs)
    ws.on('pong', () => {
      heard = true
    })
    ws.on('error', () => {})
    ws.on('close', () => {
      clearInterval(heartbeat)
      open.delete(ws)
    })
    const send = (message: unknown) => ws.send(JSON.stringify(message))
    ws.on('message', (data) => {
      heard = true
      const message = JSON.parse(String(data))
      if (message.type === 'hello') {
        panel.welcomed += 1
        send({ type: 'welcome', protocol: 1, deviceId: 'device-1', name: 'box', heartbeatMs })
        send({ type: 'state', revision: 1, ...(options.state?.() ?? { allocations: [], relays: [] }) })
      }
      if (message.type === 'ticket' && options.ticket) {
        send({ type: 'ticket', relayId: message.relayId, ticket: options.ticket(message.relayId) })
      }
    })
  }

  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const panel = {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    online: () => open.size,
    welcomed: 0,
    answer: undefined as RequestListener | undefined,
    drop() {
      for (const socket of sockets) socket.destroy()
    },
  }
  t.teardown(async () => {
    panel.drop()
    wss.close()
    await new Promise((resolve) => server.close(resolve))
  })
  return panel
}

/** As much of a ServerResponse as an `answer` needs, on a socket whose request wanted an upgrade. */
function responseOn(socket: Socket) {
  let head = ''
  const response = {
    writeHead(status: number, headers: Record<string, string> = {}) {
      const lines = Object.entries({ connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
      head = `HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`
      return response
    },
    end: (body = '') => socket.end(head + body),
  }
  return response
}
