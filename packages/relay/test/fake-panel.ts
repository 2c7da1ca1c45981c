import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { within } from './support.js'

export interface FakeRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: unknown
}

export interface FakeAnswer {
  status?: number
  headers?: Record<string, string>
  /** Sent as JSON unless it is a string. */
  body?: unknown
}

/** What a panel's control channel looks like from its end. */
export interface FakeConnection {
  ws: WebSocket
  headers: IncomingHttpHeaders
  /** The next message of this type, those before it are dropped. */
  next(type: string): Promise<Record<string, unknown>>
  send(message: unknown): void
  welcome(heartbeatMs?: number): Promise<void>
  closed: Promise<number>
}

export interface FakePanel {
  url: string
  requests: FakeRequest[]
  /** Keyed 'GET /api/…'. */
  routes: Map<string, (request: FakeRequest) => FakeAnswer>
  /** Answers an upgrade with plain HTTP when it returns something. */
  refuseUpgrade: (headers: IncomingHttpHeaders) => FakeAnswer | undefined
  nextConnection(): Promise<FakeConnection>
  /** Every request whose route is `key`. */
  requestsTo(key: string): FakeRequest[]
  sockets: Set<Socket>
  close(): Promise<void>
}

/** Values that come one by one to whoever asks. */
export function createQueue<T>(): { push(value: T): void; next(what: string): Promise<T>; size(): number } {
  const values: T[] = []
  const readers: ((value: T) => void)[] = []
  return {
    push(value) {
      const reader = readers.shift()
      if (reader) reader(value)
      else values.push(value)
    },
    next(what) {
      const value = values.shift()
      if (value !== undefined) return Promise.resolve(value)
      return within(new Promise<T>((resolve) => readers.push(resolve)), what)
    },
    size: () => values.length,
  }
}

export function problem(status: number, error: string, detail = '', headers: Record<string, string> = {}): FakeAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: { type: 'about:blank', title: error, status, detail, error, requestId: 'r1' },
  }
}

export function html(status: number, text = '<!doctype html><title>Hello</title>'): FakeAnswer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: text }
}

export async function createFakePanel(port = 0): Promise<FakePanel> {
  const connections = createQueue<FakeConnection>()
  const sockets = new Set<Socket>()
  const wss = new WebSocketServer({ noServer: true })
  const server: Server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://panel')
    let text = ''
    for await (const chunk of request) text += chunk
    const method = request.method ?? ''
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const seen = { method, path: url.pathname, query: url.searchParams, headers: request.headers, body }
    panel.requests.push(seen)
    const route = panel.routes.get(`${method} ${url.pathname}`)
    const answer = route ? route(seen) : problem(404, 'not_found')
    const content = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(content)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => {
    const answer = panel.refuseUpgrade(request.headers)
    if (answer) {
      const content = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
      const headers = { 'content-type': 'application/json', connection: 'close', ...answer.headers }
      const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`)
      socket.end(
        `HTTP/1.1 ${answer.status ?? 200} X\r\n${lines.join('')}content-length: ${content.length}\r\n\r\n${content}`,
      )
      return
    }
    wss.handleUpgrade(request, socket, head, (ws) => connections.push(wrap(ws, request.headers)))
  })
  const panel: FakePanel = {
    url: '',
    requests: [],
    routes: new Map(),
    refuseUpgrade: () => undefined,
    nextConnection: () => connections.next('a control connection'),
    requestsTo: (key) => panel.requests.filter(({ method, path }) => `${method} ${path}` === key),
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  panel.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return panel
}

function wrap(ws: WebSocket, headers: IncomingHttpHeaders): FakeConnection {
  const messages = createQueue<Record<string, unknown>>()
  ws.on('message', (data) => messages.push(JSON.parse(String(data))))
  ws.on('error', () => {})
  const connection: FakeConnection = {
    ws,
    headers,
    async next(type) {
      for (;;) {
        const message = await messages.next(`a message '${type}'`)
        if (message['type'] === type) return message
      }
    },
    send: (message) => ws.send(JSON.stringify(message)),
    async welcome(heartbeatMs = 5_000) {
      await connection.next('hello')
      connection.send({ type: 'welcome', protocol: 1, deviceId: 'device-1', name: 'box', heartbeatMs })
    },
    closed: new Promise((resolve) => ws.on('close', resolve)),
  }
  return connection
}
