import { once } from 'node:events'
import { Agent, type ClientRequestArgs, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createProxyServer } from 'httpxy'
import type { Upstreams } from './upstreams.js'

export interface Balancer {
  readonly port: number
  /** Takes nothing new. What is under way goes on. */
  drain(): void
  close(): Promise<void>
}

export interface BalancerOptions {
  readonly host: string
  readonly port: number
  readonly upstreams: () => Upstreams | undefined
}

/** Longest silence of a panel. Event streams have a heartbeat each 15 s; WebSockets are not counted. */
const silenceMs = 60_000
/** Lets Agent have a connection by; nobody of that name is looked up. */
const target = 'http://panels'
const retryAfterSeconds = '1'
/** What a client says of itself here is not to be believed by panels, who believe this proxy. */
const forwarded = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]
/** Each panel's own: through here it would be another's each time. */
const hidden = /^\/metrics(?:[/?]|$)/

/** Brings requests, event streams and WebSockets to panels that are ready, in turn. */
export async function startBalancer({ host, port, upstreams }: BalancerOptions): Promise<Balancer> {
  const proxy = createProxyServer({ proxyTimeout: silenceMs })
  const sockets = new Set<Socket>()

  /** Where the choice is made: what is not sent yet can go to another panel as well. */
  class PanelAgent extends Agent {
    override createConnection(
      _options: ClientRequestArgs,
      callback: (error: Error | null, stream: Duplex) => void = () => undefined,
    ): undefined {
      const panels = upstreams()
      const dialled = panels ? panels.dial() : Promise.reject(new Error('panels are on their way'))
      // Node's own types ask for a stream beside the error, which nobody looks at.
      dialled.then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, undefined as never),
      )
    }
  }
  const agent = new PanelAgent({ keepAlive: false })

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (hidden.test(request.url ?? '')) return refuse(response, 404)
    if (!upstreams()?.alive) return refuse(response, 503)
    announce(request)
    // A panel may die with the question in its hands. To ask another one is right only when that changes nothing.
    const tries = request.method === 'GET' || request.method === 'HEAD' ? 2 : 1
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      try {
        await proxy.web(request, response, { target, agent, headers: { connection: 'keep-alive' } })
        return
      } catch {
        if (response.headersSent || response.destroyed) return void response.destroy()
      }
    }
    refuse(response, 502)
  }

  const server = createServer((request, response) => void handle(request, response))
  // An event stream is never over.
  server.requestTimeout = 0
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (!upstreams()?.alive) {
      socket.end(`HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${retryAfterSeconds}\r\nConnection: close\r\n\r\n`)
      return
    }
    announce(request)
    proxy.ws(request, socket, { target, agent }, head).catch(() => socket.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    drain() {
      server.close()
    },
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Says whom the request comes from. */
function announce({ headers, socket }: IncomingMessage): void {
  for (const name of forwarded) delete headers[name]
  headers['x-forwarded-for'] = socket.remoteAddress ?? ''
  headers['x-forwarded-proto'] = 'http'
  if (headers.host !== undefined) headers['x-forwarded-host'] = headers.host
}

function refuse(response: ServerResponse, status: 404 | 502 | 503): void {
  const titles = { 404: 'Not Found', 502: 'Bad Gateway', 503: 'Service Unavailable' }
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    ...(status !== 404 && { 'retry-after': retryAfterSeconds }),
  })
  response.end(JSON.stringify({ type: 'about:blank', title: titles[status], status }))
}
