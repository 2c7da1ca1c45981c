import { AgentDatagramSocket } from './agent-datagram-socket.js'
import { type DialStream, FallbackStream } from './agent-fallback-stream.js'
import { UdpReach } from './agent-udp-reach.js'
import { STABLE_MS } from './backoff.js'
import { ItemKind } from './channel-items.js'
import type { ChannelSecrets } from './channel-keys.js'
import { LOOPBACK_SIZES, PATH_SIZES } from './channel-mtu.js'
import { channelOf, PACKET_OVERHEAD_BYTES } from './channel-packet.js'
import { ChannelPackets } from './channel-packets.js'
import { ChannelSession } from './channel-session.js'
import { CHANNEL_TIMINGS, type ChannelTimings } from './channel-timings.js'
import { TurnEnd } from './channel-turn.js'
import {
  type ChannelPath,
  type DatagramChannel,
  type DatagramChannelOptions,
  dispatchItem,
  type ItemHandlers,
  USES_UDP,
} from './datagram-channel.js'
import { isLoopback } from './loopback.js'

/** Where the link found the relay. */
export interface ChannelTarget {
  /** An address, no name. */
  host: string
  port: number
  dialStream: DialStream
}

export interface AgentDatagramChannelOptions extends DatagramChannelOptions {
  timings?: Partial<ChannelTimings>
}

/** A session of before is still understood for this long, for what is under way. */
const OVERLAP_MS = 5_000
const STREAM_CHECK_MS = 1_000
const NOTHING: Buffer = Buffer.alloc(0)
const BY_UDP: Buffer = Buffer.of(USES_UDP)

/** The agent's end of its datagrams with one relay. It decides on the path: the relay answers the way it is spoken to. */
export class AgentDatagramChannel implements DatagramChannel {
  readonly #options: DatagramChannelOptions
  readonly #timings: ChannelTimings
  readonly #turnEnd: TurnEnd = new TurnEnd()
  readonly #packets: ChannelPackets
  readonly #reach: UdpReach
  readonly #handlers: ItemHandlers
  #target: ChannelTarget | undefined
  #session: ChannelSession | undefined
  #older: ChannelSession | undefined
  #olderUntil = 0
  #socket: AgentDatagramSocket | undefined
  #stream: FallbackStream | undefined
  /** Of a session before; in use until the new one's is up. */
  #olderStream: FallbackStream | undefined
  #streamFailures = 0
  #streamNotBefore = 0
  #path: ChannelPath
  #traffic = false
  #packetsTickedAt = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: AgentDatagramChannelOptions) {
    this.#options = options
    this.#timings = { ...CHANNEL_TIMINGS, ...options.timings }
    this.#reach = new UdpReach(this.#timings)
    this.#packets = new ChannelPackets({
      turnEnd: this.#turnEnd,
      maxBufferBytes: options.limits.maxUdpBufferBytes,
      transmit: (packet) => this.#socket?.send(packet),
      onItem: (kind, flow, payload) => dispatchItem(this.#handlers, kind, flow, payload),
    })
    this.#handlers = {
      onItem: this.#onItem,
      onPong: (id) => this.#onPong(id),
      answer: (kind, flow) => this.#packets.send(kind, flow, NOTHING),
    }
  }

  get path(): ChannelPath {
    return this.#path
  }

  /** Bytes of the largest UDP payload sent. */
  get packetBytes(): number {
    return this.#packets.packetBytes
  }

  /** A link is up: its keys are used from now on, those of before understood for a short while. */
  attach(secrets: ChannelSecrets, target: ChannelTarget): void {
    if (this.#closed) return
    const now = performance.now()
    const before = this.#target
    this.#target = target
    this.#older = this.#session
    this.#olderUntil = now + OVERLAP_MS
    this.#session = new ChannelSession('agent', secrets)
    this.#packets.use(this.#session)
    this.#streamFailures = 0
    this.#streamNotBefore = 0
    if (before?.host === target.host && before.port === target.port) {
      this.#reach.doubt()
      this.#redialStream()
    } else {
      this.#olderStream?.end()
      this.#stream?.end()
      this.#olderStream = undefined
      this.#stream = undefined
      this.#reach.begin(now, 1)
      this.#renewSocket()
      this.#choosePath()
    }
    this.#act()
  }

  send(kind: number, flow: number, payload: Uint8Array): boolean {
    this.#traffic = true
    if (this.#path === 'udp') {
      this.#packets.send(kind, flow, payload)
      return true
    }
    return this.#path === 'stream' && this.#usableStream()?.send(kind, flow, payload) === true
  }

  close(): void {
    if (this.#closed) return
    this.#packets.close()
    this.#closed = true
    clearTimeout(this.#timer)
    this.#turnEnd.close()
    this.#socket?.close()
    this.#olderStream?.end()
    this.#stream?.end()
    this.#setPath(undefined)
  }

  #renewSocket(): void {
    this.#socket?.close()
    const target = this.#target
    if (target === undefined) return
    const socket = new AgentDatagramSocket(target.host, target.port, this.#take, () => this.#act())
    this.#socket = socket
  }

  readonly #take = (packet: Buffer): void => {
    if (packet.length < PACKET_OVERHEAD_BYTES || this.#closed) return
    const channel = channelOf(packet)
    const session = channel === this.#session?.channel ? this.#session : this.#older
    if (session?.channel !== channel) return
    const opened = session.open(packet)
    if (opened.ok) this.#packets.deliver(opened.bundle)
  }

  readonly #onItem = (kind: number, flow: number, payload: Buffer): void => {
    if (this.#closed) return
    this.#traffic = true
    this.#options.onItem(kind, flow, payload)
  }

  #onPong(id: number): void {
    if (!this.#reach.pong(id)) {
      if (!this.#reach.up) this.#act()
      return
    }
    const { host } = this.#target ?? { host: '' }
    this.#packets.searchSizes(isLoopback(host) ? LOOPBACK_SIZES : PATH_SIZES, performance.now())
    this.#choosePath()
    this.#act()
  }

  /** Does what is due, and comes back when the next thing may be. */
  #act(): void {
    if (this.#closed || this.#session === undefined) return
    const now = performance.now()
    if (this.#older !== undefined && now >= this.#olderUntil) this.#older = undefined
    if (this.#traffic) this.#reach.traffic(now)
    this.#traffic = false
    const { action, waitMs } = this.#reach.act(now)
    if (action === 'renew') this.#renewSocket()
    if (action === 'ping' && this.#socket?.open === true) {
      this.#packets.send(ItemKind.PING, this.#reach.nextId(now), this.#reach.up ? BY_UDP : NOTHING)
      this.#packets.flush()
    }
    if (this.#reach.up && now - this.#packetsTickedAt >= this.#timings.checkEveryMs) {
      this.#packetsTickedAt = now
      this.#packets.tick(now)
    }
    this.#keepStream(now)
    this.#choosePath()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#act(), Math.max(1, Math.min(waitMs, STREAM_CHECK_MS)))
  }

  #keepStream(now: number): void {
    this.#stream?.check(now)
    this.#olderStream?.check(now)
    if (this.#stream === undefined && now >= this.#streamNotBefore && this.#reach.needsStream(now)) this.#dialStream()
  }

  #dialStream(): void {
    const session = this.#session
    const target = this.#target
    if (session === undefined || target === undefined) return
    const dialledAt = performance.now()
    const stream: FallbackStream = new FallbackStream({
      session,
      dial: target.dialStream,
      maxBufferBytes: this.#options.limits.maxUdpBufferBytes,
      timings: this.#timings,
      onItem: this.#onItem,
      onUp: () => {
        this.#olderStream?.end()
        this.#olderStream = undefined
        this.#choosePath()
      },
      onDown: () => this.#streamDown(stream, dialledAt),
    })
    this.#stream = stream
  }

  /** A new session's stream takes over from the old one's when it is up. */
  #redialStream(): void {
    const stream = this.#stream
    if (stream === undefined) return
    this.#olderStream?.end()
    this.#olderStream = stream
    this.#dialStream()
  }

  #streamDown(stream: FallbackStream, dialledAt: number): void {
    if (this.#olderStream === stream) this.#olderStream = undefined
    if (this.#stream === stream) {
      const { retryMinMs, retryMaxMs } = this.#timings
      const now = performance.now()
      this.#stream = undefined
      this.#streamFailures = now - dialledAt >= STABLE_MS ? 0 : this.#streamFailures + 1
      const waits = this.#streamFailures > 0
      this.#streamNotBefore = waits ? now + Math.min(retryMaxMs, retryMinMs * 2 ** (this.#streamFailures - 1)) : now
    }
    this.#choosePath()
  }

  #usableStream(): FallbackStream | undefined {
    return this.#stream?.up === true ? this.#stream : this.#olderStream?.up === true ? this.#olderStream : undefined
  }

  #choosePath(): void {
    if (!this.#reach.up) {
      this.#setPath(this.#usableStream() === undefined ? undefined : 'stream')
      return
    }
    this.#olderStream?.end()
    this.#stream?.end()
    this.#olderStream = undefined
    this.#stream = undefined
    this.#setPath('udp')
  }

  #setPath(path: ChannelPath): void {
    if (this.#path === path) return
    this.#path = path
    this.#options.onPath?.(path)
  }
}
