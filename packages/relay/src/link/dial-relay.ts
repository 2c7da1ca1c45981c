import { connect as connectPlain, isIP, type Socket } from 'node:net'
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import { ADDRESS_TRY } from '../address-try.js'
import type { AgentRelay } from '../agent-types.js'
import { describeNetworkError } from '../control/network-failure.js'
import { fingerprintOf } from '../identity/fingerprint.js'
import { DATA_PORT_ALPN, MIN_TLS_VERSION } from '../identity/tls-terms.js'

/**
 * Why there is no link to a relay that answers. `certificate_mismatch`: it is not the one with the fingerprint;
 * `certificate_untrusted`: no authority vouches for it, or for another name; `certificate_expired`, `certificate_not_yet_valid`: by this machine's
 * clock; `tls_failed`: it speaks no TLS (it may be without encryption), or closed before that was up. Other errors of the socket keep the
 * system's codes.
 */
export type DialErrorCode =
  | 'certificate_mismatch'
  | 'certificate_untrusted'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'tls_failed'
  | 'timeout'

export interface DialRelayOptions {
  /** From the call until the socket is ready; then it is destroyed with 'timeout'. */
  timeoutMs: number
  /** Called once, when the relay may be written to: TCP is connected and, with TLS, the certificate is the right one. */
  onReady: (socket: Socket) => void
  /** Dialled in place of the relay's own; the certificate is still looked at for the relay's name. */
  host?: string
  port?: number
  /** A TCP connection to the relay that is there already, such as one by way of a proxy; half-open is allowed on it. Nothing is dialled. */
  through?: Socket
  /** Certificates (PEM) trusted in place of Node's roots when there is no fingerprint. */
  ca?: string
}

/** What of a relay decides how it is dialled. */
export interface RelayDoor extends Pick<AgentRelay, 'host' | 'port' | 'fingerprint' | 'encryption'> {
  /** For all connections to it: one for each would cost 0.25 ms and 10 kB. */
  context?: SecureContext
}

/** Where a link found the relay, for its data connections: a name could lead to another. */
export interface RelayAddress {
  relay: RelayDoor
  host: string
  port: number
  /** The link goes through this HTTP proxy. */
  proxy?: URL
  /** Where datagrams are sent, if not to `host`: an address, unless it is not known. */
  datagramHost?: string
}

/** With what many connections to this relay share. */
export function relayDoor({ host, port, fingerprint, encryption = 'tls' }: Omit<RelayDoor, 'context'>): RelayDoor {
  const door: RelayDoor = { host, port, encryption, ...(fingerprint === undefined ? {} : { fingerprint }) }
  return encryption === 'off' ? door : { ...door, context: createContext(fingerprint) }
}

const KEEP_ALIVE_AFTER_MS = 20_000

/**
 * A connection to the relay's data port. Write nothing to it before `onReady`: what is written earlier could reach somebody else. When
 * the check fails the socket is destroyed with an error whose `code` is a DialErrorCode.
 */
export function dialRelay(relay: RelayDoor, options: DialRelayOptions): Socket {
  const { timeoutMs, onReady } = options
  if (relay.encryption === 'off') {
    const socket = dialPlain(relay, options)
    if (options.through !== undefined) {
      queueMicrotask(() => {
        if (!socket.destroyed) onReady(socket)
      })
      return socket
    }
    limit(socket, 'connect', timeoutMs)
    return socket.once('connect', () => onReady(socket))
  }
  const socket = dialTls(relay, options)
  limit(socket, 'secureConnect', timeoutMs)
  nameErrors(socket)
  return socket.once('secureConnect', () => {
    const flaw = checkCertificate(socket, relay.fingerprint)
    if (flaw === undefined) onReady(socket)
    else socket.destroy(dialError(flaw))
  })
}

function limit(socket: Socket, event: 'connect' | 'secureConnect', timeoutMs: number): void {
  const timer = setTimeout(() => socket.destroy(dialError('timeout')), timeoutMs)
  const stop = () => {
    clearTimeout(timer)
    socket.off(event, stop).off('close', stop)
  }
  socket.on(event, stop).on('close', stop)
}

/** Before anybody else hears of an error, its code is made a DialErrorCode where it is one of TLS. */
function nameErrors(socket: TLSSocket): void {
  let reached = false
  const name = (error: NodeJS.ErrnoException) => {
    const { code = '' } = error
    if (describeNetworkError(error).reason === 'tls') error.code = tlsErrorCode(code)
    else if (reached && code === 'ECONNRESET') error.code = 'tls_failed'
  }
  socket.once('error', name)
  socket.once('connect', () => {
    reached = true
  })
  socket.once('secureConnect', () => socket.off('error', name))
}

function tlsErrorCode(code: string): DialErrorCode {
  if (code === 'CERT_HAS_EXPIRED') return 'certificate_expired'
  if (code === 'CERT_NOT_YET_VALID') return 'certificate_not_yet_valid'
  return /CERT|HOSTNAME|UNABLE/.test(code) ? 'certificate_untrusted' : 'tls_failed'
}

function dialPlain(relay: RelayDoor, options: DialRelayOptions): Socket {
  if (options.through !== undefined) return options.through
  return connectPlain({
    host: options.host ?? relay.host,
    port: options.port ?? relay.port,
    ...ADDRESS_TRY,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
  })
}

function dialTls(relay: RelayDoor, options: DialRelayOptions): TLSSocket {
  const pinned = relay.fingerprint !== undefined
  const terms: ConnectionOptions & { allowHalfOpen: boolean } = {
    ...(options.through === undefined ? {} : { socket: options.through }),
    host: options.host ?? relay.host,
    port: options.port ?? relay.port,
    ...ADDRESS_TRY,
    allowHalfOpen: true,
    ALPNProtocols: [DATA_PORT_ALPN],
    // RFC 6066 section 3: no addresses.
    servername: isIP(relay.host) === 0 ? relay.host : '',
    // A pinned certificate is looked at in `checkCertificate`; nobody vouches for it, and it need not name the host.
    rejectUnauthorized: !pinned,
    checkServerIdentity: (_host, certificate) => (pinned ? undefined : checkServerIdentity(relay.host, certificate)),
    secureContext: relay.context ?? createContext(relay.fingerprint, options.ca),
  }
  const socket = connectTls(terms)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS)
  return socket
}

function createContext(fingerprint: string | undefined, ca?: string): SecureContext {
  // With a fingerprint there is no authority to ask.
  const authorities = fingerprint === undefined ? ca : []
  return createSecureContext({ minVersion: MIN_TLS_VERSION, ...(authorities === undefined ? {} : { ca: authorities }) })
}

function checkCertificate(socket: TLSSocket, fingerprint: string | undefined): DialErrorCode | undefined {
  if (socket.alpnProtocol !== DATA_PORT_ALPN) return 'tls_failed'
  if (fingerprint === undefined) return socket.authorized ? undefined : 'certificate_untrusted'
  const certificate = socket.getPeerX509Certificate()
  const same = certificate !== undefined && fingerprintOf(certificate) === fingerprint
  return same ? undefined : 'certificate_mismatch'
}

function dialError(code: DialErrorCode): Error {
  return Object.assign(new Error(code), { code })
}
