import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Relay } from '../relay-types.js'
import { countRefusals, METRICS_TYPE, type MeasuredRelay, relayMetrics } from './prometheus.js'

const MAX_CONNECTIONS = 16
const REQUEST_TIMEOUT_MS = 5_000
const MAX_HEADER_BYTES = 8_192
const TEXT = 'text/plain; charset=utf-8'

export interface MetricsServer {
  /** `http://…`, as it is bound. */
  readonly url: string
  close(): Promise<void>
}

/**
 * GET /metrics for Prometheus and GET /healthz (200 while the relay runs, else 503) over plain HTTP, for anybody who can reach it: bind
 * loopback or a network of one's own. Rejects with the system's error.
 */
export async function startMetricsServer(
  relay: MeasuredRelay & Pick<Relay, 'on'>,
  address: { host: string; port: number },
): Promise<MetricsServer> {
  const refusals = countRefusals(relay)
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
  }
  const server = createServer({ ...limits, connectionsCheckingInterval: REQUEST_TIMEOUT_MS }, (request, response) =>
    answer(request, response, {
      '/metrics': () => ({ status: 200, type: METRICS_TYPE, body: relayMetrics(relay, refusals) }),
      '/healthz': () => {
        const { running } = relay.status()
        return { status: running ? 200 : 503, type: TEXT, body: running ? 'ok\n' : 'stopped\n' }
      },
    }),
  )
  server.maxConnections = MAX_CONNECTIONS
  server.keepAliveTimeout = REQUEST_TIMEOUT_MS
  try {
    const port = await listen(server, address)
    return {
      url: `http://${isIPv6(address.host) ? `[${address.host}]` : address.host}:${port}`,
      close: () => {
        refusals.stop()
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        server.closeAllConnections()
        return closed
      },
    }
  } catch (error) {
    refusals.stop()
    throw error
  }
}

interface Answer {
  status: number
  type: string
  body: string
}

function answer(request: IncomingMessage, response: ServerResponse, pages: Record<string, () => Answer>): void {
  // A body is none of ours; it is not read.
  const [path = ''] = (request.url ?? '').split('?', 1)
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  const known = request.method === 'GET' || request.method === 'HEAD'
  const { status, type, body } =
    page === undefined
      ? { status: 404, type: TEXT, body: 'not found\n' }
      : known
        ? page()
        : { status: 405, type: TEXT, body: 'GET only\n' }
  if (status === 405) response.setHeader('allow', 'GET, HEAD')
  if (!known) response.setHeader('connection', 'close')
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      // Of accept: it goes on by itself.
      server.on('error', () => {})
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
    })
  })
}
