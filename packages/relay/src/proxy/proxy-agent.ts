import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { connectThrough } from './connect-through.js'

export interface ProxyAgentOptions {
  /** See `connectThrough`. */
  proxy: URL
  /** Until the proxy has answered. */
  timeoutMs: number
  /** The requests are https. */
  secure: boolean
}

type Created = (error: Error | null, socket?: Duplex) => void
interface Destination {
  host?: string
  port?: number | string
}

/**
 * For `http.request`, `https.request` and WebSockets: connections through the proxy, each for one request. A proxy's refusal is an error
 * of the request (ProxyError) and never an answer. `destroy()` abandons what waits for the proxy.
 */
export function createProxyAgent({ proxy, timeoutMs, secure }: ProxyAgentOptions): HttpAgent {
  const waiting = new Map<() => void, Created>()

  function connect(options: Destination, created: Created): void {
    const host = (options.host ?? '').replace(/^\[|\]$/g, '')
    const port = Number(options.port)
    const abandon = connectThrough({
      proxy,
      host,
      port,
      timeoutMs,
      onConnected(socket) {
        waiting.delete(abandon)
        socket.allowHalfOpen = false
        if (!secure) created(null, socket)
        // RFC 6066 section 3: no addresses.
        else created(null, connectTls({ ...options, host, port, socket, servername: isIP(host) === 0 ? host : '' }))
      },
      onFailed(error) {
        waiting.delete(abandon)
        created(error)
      },
    })
    waiting.set(abandon, created)
  }

  const agent = secure ? new HttpsAgent() : new HttpAgent()
  const destroy = agent.destroy.bind(agent)
  return Object.assign(agent, {
    createConnection: (options: Destination, created: Created) => connect(options, created),
    destroy() {
      for (const [abandon, created] of waiting) {
        abandon()
        // A request without a socket does not end otherwise.
        created(new Error('abandoned'))
      }
      waiting.clear()
      destroy()
    },
  })
}
