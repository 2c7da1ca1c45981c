import type { Socket } from 'node:net'
import type { AgentLinkStatus, AgentRelay } from '../agent-types.js'
import { STABLE_MS } from '../backoff.js'
import type { ChannelSecrets } from '../datagrams/channel-keys.js'
import { linkSecrets } from '../identity/link-secrets.js'
import type { AgentLimits } from '../limits.js'
import { type RelayAddress, type RelayDoor, relayDoor } from './dial-relay.js'
import { readFirstFrame } from './first-frame.js'
import { encodeFrame, type Frame } from './frame.js'
import { LinkChannel } from './link-channel.js'
import { LinkRetry } from './link-retry.js'
import { LinkTickets } from './link-tickets.js'
import {
  encodeMessage,
  FrameType,
  type LinkMessage,
  PROTOCOL_VERSION,
  parseOrder,
  parseRefused,
  parseWelcome,
  type ShortMessage,
  type WelcomeMessage,
} from './protocol.js'
import type { RelayDial } from './reach-relay.js'
import { RelayWays, type Way } from './relay-ways.js'

/** A link that is up. */
export interface LinkUp {
  /** Of the relay at its other end; with a name it could be another. */
  address: RelayAddress
  /** What the channel of its datagrams is made from. */
  secrets: ChannelSecrets
  /** The relay's table of flows; the same as before: flows go on. */
  flows: string
  short: (message: ShortMessage) => void
}

/** Who works with a link while it is up. */
export interface LinkUser {
  onOrder(tokens: readonly string[]): void
  /** The relay has datagrams and does not get them through. */
  onWake(): void
  /** Before `onDown`: another process of the relay has taken over, and is linked to at once. */
  onMoved(): void
  onDown(): void
}

export interface AgentLinkOptions {
  version: string
  limits: AgentLimits
  /** The HTTP proxy by which this relay may be reached when it cannot be directly. */
  proxyFor: (relay: AgentRelay) => URL | undefined
  onLink: (connected: boolean, error?: string) => void
  onTicketNeeded: () => void
  /** Before `onLink`. */
  onUp: (up: LinkUp) => LinkUser
}

/** The agent's side of one link: keeps it up for ever, from one ticket to the next. */
export class AgentLink {
  readonly #options: AgentLinkOptions
  #relay: AgentRelay
  #door: RelayDoor
  readonly #tickets: LinkTickets
  readonly #retry: LinkRetry
  readonly #ways: RelayWays
  /** Under way, until there is a socket. */
  #dial: RelayDial | undefined
  #socket: Socket | undefined
  #proxied = false
  #channel: LinkChannel | undefined
  #user: LinkUser | undefined
  #connectedAt: Date | undefined
  #awaitsTicket = false
  /** Another agent of the device has the link. */
  #staysAway = false
  #lastError: string | undefined
  #closed = false

  constructor(relay: AgentRelay, options: AgentLinkOptions) {
    this.#relay = relay
    this.#door = relayDoor(relay)
    this.#options = options
    this.#tickets = new LinkTickets(relay.ticket)
    this.#retry = new LinkRetry(options.limits, () => this.#connect())
    this.#ways = new RelayWays(options.limits.relayTimeoutMs)
    this.#connect()
  }

  renew(relay: AgentRelay): void {
    const { host, port, ticket, fingerprint, encryption = 'tls' } = this.#relay
    this.#relay = { ...relay }
    if (relay.ticket !== ticket) this.#tickets.give(relay.ticket)
    const sameDoor = relay.host === host && relay.port === port
    if (!sameDoor || relay.fingerprint !== fingerprint || (relay.encryption ?? 'tls') !== encryption) {
      this.#door = relayDoor(relay)
      this.#retry.forget()
      this.#ways.forget()
      this.#drop('moved')
      this.#connect()
    } else if (relay.ticket !== ticket) {
      if (this.#awaitsTicket) this.#connect()
      else if (!this.#busy && !this.#staysAway) this.#retry.soon()
    }
  }

  status(): AgentLinkStatus {
    const { id, host, port, encryption = 'tls' } = this.#relay
    const connected = this.#connectedAt !== undefined
    const status: AgentLinkStatus = { relayId: id, host, port, connected, encryption }
    if (this.#proxied) status.proxied = true
    if (this.#connectedAt !== undefined) status.connectedAt = this.#connectedAt
    const rttMs = this.#channel?.rttMs
    if (rttMs !== undefined) status.rttMs = rttMs
    return status
  }

  /** See `Agent.probe`. */
  probe(): void {
    if (this.#channel !== undefined) {
      this.#channel.probe()
      return
    }
    if (this.#closed || this.#staysAway) return
    // What is under way may be so on a network that is gone.
    this.#leave()
    this.#retry.forget()
    this.#ways.forget()
    this.#connect()
  }

  /** Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#closed = true
    this.#retry.end()
    const socket = this.#socket
    const dial = this.#dial
    this.#drop('closed')
    await dial?.cancel()
    if (socket !== undefined && !socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  }

  get #busy(): boolean {
    return this.#dial !== undefined || this.#socket !== undefined
  }

  #connect(): void {
    // An event handler may have closed, moved or renewed this link in between.
    if (this.#closed || this.#busy) return
    this.#retry.cancel()
    this.#staysAway = false
    const ticket = this.#tickets.current
    this.#awaitsTicket = ticket === undefined
    if (ticket === undefined) {
      this.#tickets.asked()
      this.#options.onTicketNeeded()
      // The owner may have answered at once, or closed this link.
      if (this.#awaitsTicket) this.#retry.later()
      return
    }
    this.#dial = this.#ways.reach(this.#door, this.#options.proxyFor(this.#relay), {
      onReady: (socket, way) => {
        this.#dial = undefined
        this.#greet(socket, ticket, way)
      },
      onFailed: (error) => {
        this.#dial = undefined
        this.#down(error)
      },
    })
  }

  #greet(socket: Socket, ticket: string, way: Way): void {
    const { version, limits } = this.#options
    let error = 'closed'
    this.#socket = socket
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      error = cause.code ?? 'error'
    })
    const message: LinkMessage = { protocol: PROTOCOL_VERSION, ticket, version }
    socket.write(encodeFrame(FrameType.LINK, encodeMessage(message)))
    readFirstFrame(socket, limits.relayTimeoutMs, (frame, failure = 'closed') => {
      if (this.#socket !== socket) return
      if (frame !== undefined) this.#answered(socket, ticket, way, frame)
      // What the system says is more than that it is over.
      else this.#down(error === 'closed' ? failure : error)
    })
  }

  #answered(socket: Socket, ticket: string, way: Way, frame: Frame): void {
    const welcome = frame.type === FrameType.WELCOME ? parseWelcome(frame.payload) : undefined
    if (welcome !== undefined) {
      this.#tickets.welcomed(ticket, welcome.resume)
      this.#up(socket, way, welcome, linkSecrets(socket, ticket, welcome.datagrams))
      return
    }
    const refused = frame.type === FrameType.REFUSED ? parseRefused(frame.payload) : undefined
    if (refused === undefined || !refused.error.startsWith('ticket_')) {
      this.#down(refused?.error ?? 'protocol')
      return
    }
    this.#tickets.spent(ticket)
    this.#drop(refused.error)
    if (this.#tickets.isHopeful) this.#connect()
    else this.#retry.later()
  }

  #up(socket: Socket, way: Way, { heartbeatMs, datagrams }: WelcomeMessage, secrets: ChannelSecrets): void {
    const { limits } = this.#options
    let replaced = false
    const address = this.#ways.addressOf(this.#door, socket, way)
    this.#ways.worked(way)
    this.#proxied = way.proxy !== undefined
    const upAt = performance.now()
    const channel: LinkChannel = new LinkChannel(socket, {
      heartbeatMs: Math.max(MIN_HEARTBEAT_MS, Math.min(heartbeatMs, limits.maxHeartbeatMs)),
      timeoutMs: limits.linkTimeoutMs,
      maxBufferBytes: MAX_LINK_BUFFER_BYTES,
      onFrame: (frame) => {
        if (frame.type === FrameType.REPLACED) {
          replaced = true
          return true
        }
        if (frame.type === FrameType.MOVED) {
          // Its players keep their connections; only new ones come over another.
          this.#user?.onMoved()
          this.#drop('moved')
          this.#retry.moved()
          return true
        }
        if (frame.type === FrameType.WAKE) {
          this.#user?.onWake()
          return true
        }
        const order = frame.type === FrameType.ORDER ? parseOrder(frame.payload) : undefined
        if (order !== undefined) {
          this.#user?.onOrder(order.tokens)
          return true
        }
        return false
      },
      onClose: (reason) => {
        if (this.#socket !== socket) return
        if (performance.now() - upAt >= STABLE_MS) this.#retry.forget()
        this.#down(replaced ? 'replaced' : reason, replaced ? limits.replacedMs : undefined)
        this.#staysAway = replaced && !this.#busy
      },
    })
    this.#channel = channel
    this.#connectedAt = new Date()
    this.#lastError = undefined
    this.#user = this.#options.onUp({
      address,
      secrets,
      flows: datagrams.flows,
      short: (message) => channel.send(FrameType.SHORT, encodeMessage(message)),
    })
    this.#options.onLink(true)
    // The relay ends the ticket of before when it hears that this link's WELCOME has arrived.
    channel.ping()
  }

  #down(error: string, delayMs?: number): void {
    this.#drop(error)
    this.#retry.later(delayMs)
  }

  /** Leaves the socket and says why, unless it was said before. */
  #drop(error: string): void {
    const wasUp = this.#connectedAt !== undefined
    if (wasUp) this.#ways.isOver()
    this.#leave()
    const isNews = wasUp || error !== this.#lastError
    this.#lastError = error
    if (isNews) this.#options.onLink(false, error)
  }

  #leave(): void {
    this.#retry.cancel()
    const socket = this.#socket
    this.#socket = undefined
    void this.#dial?.cancel()
    this.#dial = undefined
    this.#channel?.destroy()
    this.#channel = undefined
    this.#connectedAt = undefined
    this.#user?.onDown()
    this.#user = undefined
    socket?.destroy()
  }
}

/** A relay that says less would have the agent do nothing else. */
const MIN_HEARTBEAT_MS = 10
/** SHORTs that wait to be sent. */
const MAX_LINK_BUFFER_BYTES = 1_048_576
