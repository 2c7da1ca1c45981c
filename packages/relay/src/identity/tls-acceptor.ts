import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Logger } from '../logger.js'
import type { CertificatePair } from '../relay-types.js'
import { DATA_PORT_ALPN, MIN_TLS_VERSION } from './tls-terms.js'

/** The relay's side of TLS on the data port, for connections that were accepted elsewhere. */
export class TlsAcceptor {
  /** Listens to nothing; connections are handed to it ('connection' may be emitted by users, says its documentation). */
  readonly #server: Server
  /** By the addresses of both ends: the server does not say which connection became a TLS socket. */
  readonly #handshaking: Map<string, (socket: TLSSocket) => void> = new Map()

  constructor(certificate: CertificatePair, handshakeTimeoutMs: number, logger: Logger) {
    this.#server = createServer(
      { ...terms(certificate), ALPNProtocols: [DATA_PORT_ALPN], handshakeTimeout: handshakeTimeoutMs },
      (socket) => this.#secured(socket),
    )
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      logger.debug({ error: error.code, remoteAddress: socket.remoteAddress }, 'TLS handshake failed')
      // Node leaves a handshake that takes too long to whoever listens here.
      socket.destroy()
    })
  }

  /** For handshakes that begin from now on. Throws what OpenSSL says against the pair. */
  setCertificate(certificate: CertificatePair): void {
    this.#server.setSecureContext(terms(certificate))
  }

  /** Calls `done` when the handshake is through; when it fails or takes too long, `raw` is closed. */
  secure(raw: Socket, done: (socket: TLSSocket) => void): void {
    const key = endsOf(raw)
    this.#handshaking.set(key, done)
    raw.once('close', () => {
      if (this.#handshaking.get(key) === done) this.#handshaking.delete(key)
    })
    this.#server.emit('connection', raw)
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', ignore)
    const key = endsOf(socket)
    const done = this.#handshaking.get(key)
    this.#handshaking.delete(key)
    if (done === undefined || socket.alpnProtocol !== DATA_PORT_ALPN) socket.destroy()
    else done(socket)
  }
}

function terms({ key, cert }: CertificatePair) {
  return { key, cert, minVersion: MIN_TLS_VERSION }
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}

function ignore(): void {}
