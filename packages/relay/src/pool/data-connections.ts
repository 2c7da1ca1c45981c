import type { Socket } from 'node:net'
import type { AgentLimits } from '../limits.js'
import { dialRelay, type RelayAddress } from '../link/dial-relay.js'
import { encodeFrame } from '../link/frame.js'
import { encodeMessage, FrameType, type ShortMessage, type StartMessage } from '../link/protocol.js'
import type { Permits } from '../permits.js'
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
  /** Shared with UDP flows. */
  permits: Permits
  onStart: (relayId: string, message: StartMessage, exchange: Exchange) => void
}

/** Tries for each token. */
const MAX_DIALS = 2

interface Dial {
  token: string
  tries: number
  link: Link
  release: () => void
}

interface Link extends DataConnectionsLink {
  connections: LinkConnections
  retired: boolean
}

/** The agent's data connections to all relays: dialled as ordered, a bounded number at a time and in all. */
export class DataConnections {
  readonly #options: DataConnectionsOptions
  /** Each holds a permit. */
  #queue: Dial[] = []
  #dialling = 0
  readonly #sockets: Set<Socket> = new Set()
  #stopped = false

  constructor(options: DataConnectionsOptions) {
    this.#options = options
  }

  forLink(given: DataConnectionsLink): LinkDataConnections {
    const connections = new LinkConnections(this.#options.limits.orphanTimeoutMs)
    const link: Link = { ...given, connections, retired: false }
    return {
      order: (tokens) => this.#order(link, tokens),
      retire: () => this.#retire(link),
    }
  }

  /** Cuts everyone. Resolves when every socket is closed. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#drop(() => true)
    const closing = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    )
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closing)
  }

  #order(link: Link, tokens: readonly string[]): void {
    if (this.#stopped || link.retired) return
    const refused: string[] = []
    for (const token of tokens) {
      const release = this.#options.permits.take()
      if (release === undefined) refused.push(token)
      else this.#queue.push({ token, tries: 0, link, release })
    }
    if (refused.length > 0) link.short({ tokens: refused, error: 'agent_busy' })
    this.#next()
  }

  #retire(link: Link): void {
    link.retired = true
    this.#drop((dial) => dial.link === link)
    for (const connection of link.connections) if (connection.ready) connection.close()
    link.connections.orphan()
  }

  #drop(which: (dial: Dial) => boolean): void {
    for (const dial of this.#queue) if (which(dial)) dial.release()
    this.#queue = this.#queue.filter((dial) => !which(dial))
  }

  #next(): void {
    while (this.#dialling < this.#options.limits.maxDials) {
      const dial = this.#queue.shift()
      if (dial === undefined) return
      this.#dial(dial)
    }
  }

  #dial(dial: Dial): void {
    const { relay, host, port } = dial.link.address
    this.#dialling += 1
    dial.tries += 1
    let dialling = true
    const dialled = () => {
      if (!dialling) return
      dialling = false
      this.#dialling -= 1
      this.#next()
    }
    const socket = dialRelay(relay, {
      host,
      port,
      timeoutMs: this.#options.limits.relayTimeoutMs,
      onReady: () => {
        socket.off('close', failed)
        this.#serve(socket, dial)
        dialled()
      },
    })
    const failed = () => {
      this.#failed(dial)
      dialled()
    }
    this.#sockets.add(socket)
    socket.on('error', ignore)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('close', failed)
  }

  #failed(dial: Dial): void {
    const { link, token, tries, release } = dial
    if (this.#stopped || link.retired) release()
    else if (tries < MAX_DIALS) this.#queue.push(dial)
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

function ignore(): void {}
