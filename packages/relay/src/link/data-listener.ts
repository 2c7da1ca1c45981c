import type { Server, Socket } from 'node:net'
import { RelayError } from '../errors.js'
import type { SocketSource } from '../handover/taken-sockets.js'
import { TlsAcceptor } from '../identity/tls-acceptor.js'
import type { RelayLimits } from '../limits.js'
import type { Logger } from '../logger.js'
import { KeyedCounts } from '../permits.js'
import type { Descriptors } from '../players/descriptors.js'
import { createTcpServer, listenTcp, SOCKET_OPTIONS } from '../players/listen-tcp.js'
import { sourceKey } from '../players/source-key.js'
import type { CertificatePair } from '../relay-types.js'
import { readFirstFrame } from './first-frame.js'
import { encodeFrame, type Frame } from './frame.js'
import {
  type DatagramsMessage,
  encodeMessage,
  FrameType,
  type LinkMessage,
  parseData,
  parseDatagrams,
  parseLink,
  type RefusedError,
} from './protocol.js'

interface DataListenerOptions {
  host: string
  limits: RelayLimits
  logger: Logger
  descriptors: Descriptors
  /** Undefined: plain TCP. */
  certificate: CertificatePair | undefined
  /** Takes the socket over (a TLSSocket when there is a certificate), or says why not. */
  onLink: (socket: Socket, message: LinkMessage) => RefusedError | undefined
  /** Takes the socket over, or false. */
  onData: (socket: Socket, token: string) => boolean
  /** The same for the stream that stands in for UDP. */
  onDatagrams?: (socket: Socket, message: DatagramsMessage) => boolean
  /** Data connections that were asked for and may come: they don't count against the limits on strangers. */
  expected: () => number
  expectedFrom: (source: string) => number
}

const FAREWELL_MS = 1_000

/** The TCP port that agents dial. Reads one bounded frame of each connection, in bounded time, and passes it on. */
export class DataListener {
  readonly #options: DataListenerOptions
  readonly #server: Server
  readonly #tls: TlsAcceptor | undefined
  /** As accepted, below TLS. */
  readonly #sockets: Set<Socket> = new Set()
  readonly #perSource: KeyedCounts = new KeyedCounts()
  #handshakes = 0

  constructor(options: DataListenerOptions) {
    this.#options = options
    const { certificate, limits, logger, descriptors } = options
    if (certificate !== undefined) this.#tls = new TlsAcceptor(certificate, limits.handshakeTimeoutMs, logger)
    // TLS reads by itself, and nobody else would hear of a peer that leaves in the middle of the handshake.
    const plain = this.#tls === undefined
    const socketOptions = { ...SOCKET_OPTIONS, pauseOnConnect: plain, allowHalfOpen: plain }
    this.#server = createTcpServer(socketOptions, descriptors, 'agent', (socket) => this.#accept(socket))
  }

  /** For connections that come from now on; nothing when the port is plain. Throws what OpenSSL says against the pair. */
  setCertificate(certificate: CertificatePair): void {
    this.#tls?.setCertificate(certificate)
  }

  /** Gives the bound port. Rejects with RELAY_ERR_DATA_PORT. */
  async listen(port: number, taken?: SocketSource<Server>): Promise<number> {
    const { host, logger } = this.#options
    try {
      return await listenTcp(this.#server, { host, port, taken }, (error) =>
        logger.warn({ error: error.code }, 'accepting on the data port failed'),
      )
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
      throw new RelayError('RELAY_ERR_DATA_PORT', `${code} on ${host} port ${port}`, { cause: error })
    }
  }

  /** For the process that the port is handed over to. */
  get handle(): Server {
    return this.#server
  }

  /** Another process has the port from now on; the connections that came over it stay. */
  release(): void {
    this.#server.close()
  }

  /** Closes the port and every connection that came over it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', ignore)
    socket.on('close', () => this.#sockets.delete(socket))
    const source = sourceKey(socket.remoteAddress ?? '')
    const { limits, expected, expectedFrom } = this.#options
    const full =
      this.#handshakes >= limits.maxHandshakes + expected() ||
      this.#perSource.of(source) >= limits.maxHandshakesPerSource + expectedFrom(source)
    if (full) {
      socket.destroy()
      return
    }
    const deadline = performance.now() + limits.handshakeTimeoutMs
    const greeted = this.#count(source)
    socket.once('close', greeted)
    const greet = (secured: Socket) =>
      readFirstFrame(secured, deadline - performance.now(), (frame) => {
        const outcome = frame === undefined ? 'unfit' : this.#dispatch(secured, frame)
        if (outcome === 'unfit') secured.destroy()
        // Who is refused stays a stranger until he is gone.
        if (outcome !== 'taken') return
        greeted()
        socket.off('close', greeted)
      })
    if (this.#tls === undefined) greet(socket)
    else this.#tls.secure(socket, greet)
  }

  /** One more stranger; gives what takes it off again, once. */
  #count(source: string): () => void {
    this.#handshakes += 1
    const uncount = this.#perSource.add(source)
    let counted = true
    return () => {
      if (counted) this.#handshakes -= 1
      counted = false
      uncount()
    }
  }

  #dispatch(socket: Socket, frame: Frame): 'taken' | 'refused' | 'unfit' {
    if (frame.type === FrameType.DATA) {
      const data = parseData(frame.payload)
      return data !== undefined && this.#options.onData(socket, data.token) ? 'taken' : 'unfit'
    }
    if (frame.type === FrameType.DATAGRAMS) {
      const datagrams = parseDatagrams(frame.payload)
      return datagrams !== undefined && this.#options.onDatagrams?.(socket, datagrams) === true ? 'taken' : 'unfit'
    }
    const link = frame.type === FrameType.LINK ? parseLink(frame.payload) : undefined
    if (link === undefined) return 'unfit'
    const error = this.#options.onLink(socket, link)
    if (error === undefined) return 'taken'
    this.#options.logger.debug({ error, remoteAddress: socket.remoteAddress }, 'link refused')
    sayFarewell(socket, encodeFrame(FrameType.REFUSED, encodeMessage({ error })))
    return 'refused'
  }
}

function sayFarewell(socket: Socket, lastWords: Buffer): void {
  socket.end(lastWords)
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS)
  socket.on('end', () => socket.destroy())
  socket.on('close', () => clearTimeout(timer))
}

function ignore(): void {}
