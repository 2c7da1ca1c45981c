import type { Socket } from 'node:net'
import type { AgentLimits } from '../limits.js'
import type { RelayAddress } from '../link/dial-relay.js'
import { encodeFrame } from '../link/frame.js'
import { encodeMessage, FrameType, type ShortMessage, type StartMessage } from '../link/protocol.js'
import { type RelayDial, reachRelay } from '../link/reach-relay.js'
import { SharedPermits } from '../permits.js'
import { DataConnection, type Exchange } from '../stream/data-connection.js'
import { LinkConnections } from '../stream/link-connections.js'

/** One link, as its data connections need it. */
export interface DataConnectionsLink {
  relayId: string
  /** Of the relay at the other end of the link; with a name it could be another. */
  address: RelayAddress
  short: (message: ShortMessage) => void
}

export interface LinkDataConnections {
  /** The relay wants one for each of these tokens. */
  order(tokens: readonly string[]): void
  /** The link is gone: those ready are closed, and those in use when they are no longer. */
  retire(): void
}

export interface DataConnectionsOptions {
  limits: AgentLimits
  /** By relay; shared with UDP flows. */
  permits: Pick<SharedPermits, 'take'>
  onStart: (relayId: string, message: StartMessage, exchange: Exchange) => void
}

/** Tries for each token. */
const MAX_DIALS = 2

interface Dial {
  token: string
  tries: number
  link: Link
  /** Gives back its permit. */
  release: () => void
}

interface Link extends DataConnectionsLink {
  connections: LinkConnections
  queue: Dial[]
  retired: boolean
}

/** The agent's data connections to all relays: dialled as ordered, a bounded number at a time and in all. */
export class DataConnections {
  readonly #options: DataConnectionsOptions
  /** Those that are up. */
  readonly #links: Set<Link> = new Set()
  readonly #dials: SharedPermits
  readonly #dialling: Set<RelayDial> = new Set()
  readonly #sockets: Set<Socket> = new Set()
  #stopped = false

  constructor(options: DataConnectionsOptions) {
    this.#options = options
    this.#dials = new SharedPermits(options.limits.maxDials)
  }

  forLink(given: DataConnectionsLink): LinkDataConnections {
    const connections = new LinkConnections(this.#options.limits.orphanTimeoutMs)
    const link: Link = { ...given, connections, queue: [], retired: false }
    this.#links.add(link)
    this.#dials.join(link.relayId)
    return {
      order: (tokens) => this.#order(link, tokens),
      retire: () => this.#retire(link),
    }
  }

  /** Cuts everyone. Resolves when every socket is closed. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const link of this.#links) drop(link)
    const cancelling = [...this.#dialling].map((dial) => dial.cancel())
    const closing = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    )
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([...cancelling, ...closing])
  }

  #order(link: Link, tokens: readonly string[]): void {
    if (this.#stopped || link.retired) return
    const refused: string[] = []
    for (const token of tokens) {
      const release = this.#options.permits.take(link.relayId)
      if (release === undefined) refused.push(token)
      else link.queue.push({ token, tries: 0, link, release })
    }
    if (refused.length > 0) link.short({ tokens: refused, error: 'agent_busy' })
    this.#next()
  }

  #retire(link: Link): void {
    link.retired = true
    this.#links.delete(link)
    this.#dials.leave(link.relayId)
    drop(link)
    for (const connection of link.connections) if (connection.ready) connection.close()
    link.connections.orphan()
  }

  /** One of each link in turn: one that orders much, or takes its time, keeps no other waiting. */
  #next(): void {
    for (const link of this.#links) {
      const { relayId, queue } = link
      const done = queue.length > 0 ? this.#dials.take(relayId) : undefined
      if (done === undefined) continue
      // Behind the others, where this loop comes to it again.
      this.#links.delete(link)
      this.#links.add(link)
      this.#dial(queue.shift() as Dial, done)
    }
  }

  #dial(dial: Dial, done: () => void): void {
    const { relay, host, port, proxy } = dial.link.address
    dial.tries += 1
    const dialled = () => {
      this.#dialling.delete(reaching)
      done()
      this.#next()
    }
    const reaching = reachRelay(relay, {
      host,
      port,
      proxy,
      timeoutMs: this.#options.limits.relayTimeoutMs,
      onReady: (socket) => {
        this.#sockets.add(socket)
        socket.on('error', ignore)
        socket.on('close', () => this.#sockets.delete(socket))
        this.#serve(socket, dial)
        dialled()
      },
      onFailed: () => {
        this.#failed(dial)
        dialled()
      },
    })
    this.#dialling.add(reaching)
  }

  #failed(dial: Dial): void {
    const { link, token, tries, release } = dial
    if (this.#stopped || link.retired) release()
    else if (tries < MAX_DIALS) link.queue.push(dial)
    else {
      release()
      link.short({ tokens: [token], error: 'agent_busy' })
    }
  }

  #serve(socket: Socket, { token, link, release }: Dial): void {
    if (this.#stopped || link.retired) {
      socket.on('close', release)
      socket.destroy()
      return
    }
    socket.write(encodeFrame(FrameType.DATA, encodeMessage({ token })))
    const connection = new DataConnection(socket, {
      flushTimeoutMs: this.#options.limits.flushTimeoutMs,
      onStart: (message, exchange) => this.#options.onStart(link.relayId, message, exchange),
      onReady: () => {
        if (link.retired) connection.close()
      },
      onClose: () => {
        link.connections.delete(connection)
        release()
      },
    })
    link.connections.add(connection)
  }
}

function drop({ queue }: Link): void {
  for (const { release } of queue.splice(0)) release()
}

function ignore(): void {}
