import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'

interface Teardown {
  teardown(handler: () => unknown): void
}

export interface HttpProxy {
  url: URL
  /** What it was asked for by CONNECT, `host:port` each. */
  asked: string[]
  headers: IncomingHttpHeaders[]
  /** Answers with this status instead of connecting. */
  refuseWith: number | undefined
  /** Never answers. */
  silent: boolean
  /** Breaks off every connection through it. */
  cut(): void
  close(): Promise<void>
}

/** An HTTP proxy of the real kind, for CONNECT only. `routes`: names that only it knows, and their ports on this machine. */
export async function startHttpProxy(
  t: Teardown,
  routes: Record<string, number> = {},
  certificate?: { key: string; cert: string },
): Promise<HttpProxy> {
  const server: Server = certificate === undefined ? createServer() : createHttpsServer(certificate)
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  server.on('connection', keep)
  server.on('connect', ({ url = '', headers }: IncomingMessage, near: Socket) => {
    near.on('error', () => {})
    proxy.asked.push(url)
    proxy.headers.push(headers)
    if (proxy.silent) return
    if (proxy.refuseWith !== undefined) {
      near.end(`HTTP/1.1 ${proxy.refuseWith} No\r\ncontent-type: text/html\r\n\r\n<p>no`)
      return
    }
    const [host = '', port] = url.split(':')
    const far = connect({ host: '127.0.0.1', port: routes[host] ?? Number(port), allowHalfOpen: true })
    keep(far)
    far.on('error', () => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    far.on('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n')
      near.pipe(far).pipe(near)
      far.on('close', () => near.destroy())
      near.on('close', () => far.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  }
  t.teardown(close)
  const scheme = certificate === undefined ? 'http' : 'https'
  const url = new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const proxy: HttpProxy = { url, asked: [], headers: [], refuseWith: undefined, silent: false, cut, close }
  return proxy
}
