import { type ClientRequest, request as requestHttp } from 'node:http'
import { connect as connectPlain, isIP, isIPv6, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { domainToASCII } from 'node:url'
import { ADDRESS_TRY } from '../address-try.js'
import { ProxyError, refusedBy } from './proxy-error.js'

export interface ConnectThroughOptions {
  /** http or https; a user name and password in it are sent as Basic credentials. */
  proxy: URL
  /** A name is resolved by the proxy. */
  host: string
  port: number
  /** Until the proxy has answered. */
  timeoutMs: number
  /** Called once: from now on the socket is one to `host`. It allows half-open and has no handlers. */
  onConnected: (socket: Socket) => void
  /** Instead of `onConnected`. */
  onFailed: (error: ProxyError) => void
}

const DEFAULT_PORTS = new Map([
  ['http:', 80],
  ['https:', 443],
])
const KEEP_ALIVE_AFTER_MS = 20_000

/** A TCP connection through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6). Gives what abandons it; then nothing is called any more. */
export function connectThrough(options: ConnectThroughOptions): () => void {
  const { proxy, port, timeoutMs } = options
  const authority = `${nameOf(options.host)}:${port}`
  let over = false
  const request: ClientRequest = requestHttp({
    method: 'CONNECT',
    host: hostOf(proxy),
    path: authority,
    headers: { host: authority, ...credentialsOf(proxy) },
    createConnection: () => dialProxy(proxy),
  })
  const timer = setTimeout(() => fail(new ProxyError('ERR_PROXY_TIMEOUT', proxy)), timeoutMs)

  /** True once. */
  function end(): boolean {
    if (over) return false
    over = true
    clearTimeout(timer)
    return true
  }

  function fail(error: ProxyError): void {
    if (!end()) return
    request.destroy()
    options.onFailed(error)
  }

  request.on('connect', ({ statusCode = 0 }, socket, head) => {
    if (over || statusCode < 200 || statusCode >= 300) {
      // What it says beyond that is the proxy's word, and must not pass for that of the other side.
      socket.destroy()
      fail(refusedBy(proxy, statusCode))
      return
    }
    // Who is behind it waits to be spoken to.
    if (head.length > 0) {
      socket.destroy()
      fail(new ProxyError('ERR_PROXY_PROTOCOL', proxy))
      return
    }
    end()
    options.onConnected(socket as Socket)
  })
  // Nobody answers CONNECT with an upgrade.
  request.on('upgrade', (_response, socket) => {
    socket.destroy()
    fail(new ProxyError('ERR_PROXY_PROTOCOL', proxy))
  })
  request.on('error', (cause: NodeJS.ErrnoException) => fail(judge(cause, proxy)))
  request.end()
  return () => {
    if (end()) request.destroy()
  }
}

/** What the parser did not understand was no answer of a proxy. */
function judge(cause: NodeJS.ErrnoException, proxy: URL): ProxyError {
  const code = cause.code?.startsWith('HPE_') === true ? 'ERR_PROXY_PROTOCOL' : 'ERR_PROXY_UNREACHABLE'
  return new ProxyError(code, proxy, { cause })
}

function dialProxy(proxy: URL): Socket {
  const host = hostOf(proxy)
  const port = proxy.port === '' ? (DEFAULT_PORTS.get(proxy.protocol) ?? 80) : Number(proxy.port)
  const terms = { host, port, allowHalfOpen: true, ...ADDRESS_TRY }
  if (proxy.protocol !== 'https:')
    return connectPlain({ ...terms, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS })
  // RFC 6066 section 3: no addresses.
  const socket = connectTls({ ...terms, ALPNProtocols: ['http/1.1'], servername: isIP(host) === 0 ? host : '' })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS)
  return socket
}

/** As it may stand in a request; what is no host's name becomes one that no proxy finds. */
function nameOf(host: string): string {
  if (isIPv6(host)) return `[${host}]`
  return domainToASCII(host) || 'invalid.invalid'
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const credentials = `${decoded(username)}:${decoded(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** A stray percent sign stands for itself. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escaped) => {
    try {
      return decodeURIComponent(escaped)
    } catch {
      return escaped
    }
  })
}
