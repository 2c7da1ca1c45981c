import { AgentDatagramSocket } from './agent-datagram-socket.js'
import type { DialStream } from './agent-fallback-stream.js'
import { FallbackStreams } from './agent-fallback-streams.js'
import { UdpReach } from './agent-udp-reach.js'
import { ItemKind } from './channel-items.js'
import type { ChannelSecrets } from './channel-keys.js'
import { sizesToTry } from './channel-mtu.js'
import { channelOf, PACKET_OVERHEAD_BYTES } from './channel-packet.js'
import { ChannelPackets, type PacketsOwner } from './channel-packets.js'
import { ChannelSession, type SealedPacket } from './channel-session.js'
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

/** Where the link found the relay. */
export interface ChannelTarget {
  /** An address, no name. */
  host: string
  port: number
  dialStream: DialStream
}

export interface AgentDatagramChannelOptions extends DatagramChannelOptions {
  /** There are flows: a stream is kept for them where UDP does not get through. Else it needs traffic, or `wake`. */
  isNeeded?: () => boolean
  timings?: Partial<ChannelTimings>
}

/** A session of before is still understood for this long, for what is under way. */
const OVERLAP_MS = 5_000
const STREAM_CHECK_MS = 1_000
/** For the link to the relay's next process, which does not know the keys of before. */
const HOLD_MS = 1_000
const MAX_HELD = 256
const NOTHING: Buffer = Buffer.alloc(0)
const BY_UDP: Buffer = Buffer.of(USES_UDP)

/** The agent's end of its datagrams with one relay. It decides on the path: the relay answers the way it is spoken to. */
export class AgentDatagramChannel implements DatagramChannel, PacketsOwner {
  readonly #options: AgentDatagramChannelOptions
  readonly #timings: ChannelTimings
  readonly #turnEnd: TurnEnd = new TurnEnd()
  readonly #packets: ChannelPackets
  readonly #reach: UdpReach
  readonly #streams: FallbackStreams
  readonly #handlers: ItemHandlers
  #target: ChannelTarget | undefined
  #session: ChannelSession | undefined
  #older: ChannelSession | undefined
  #olderUntil = 0
  #socket: AgentDatagramSocket | undefined
  #path: ChannelPath
  #traffic = false
  #packetsTickedAt = 0
  #timer: NodeJS.Timeout | undefined
  /** While it waits for other keys: the newest. */
  #held: Parameters<DatagramChannel['send']>[] | undefined
  #holdEnd: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: AgentDatagramChannelOptions) {
    this.#options = options
    this.#timings = { ...CHANNEL_TIMINGS, ...options.timings }
    this.#reach = new UdpReach(this.#timings)
    this.#packets = new ChannelPackets(this, this.#turnEnd, options.limits.maxUdpBufferBytes)
    this.#streams = new FallbackStreams({
      maxBufferBytes: options.limits.maxUdpBufferBytes,
      timings: this.#timings,
      onItem: this.#onItem,
      onChange: () => this.#choosePath(),
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
    if (before?.host === target.host && before.port === target.port) {
      this.#reach.doubt()
    } else {
      this.#streams.end()
      this.#reach.doubt()
      this.#reach.begin(now, 1)
      this.#renewSocket()
      this.#choosePath()
    }
    this.#streams.renew(this.#session, target.dialStream)
    this.#act()
    this.#letGo()
  }

  /** What is sent would not be understood: it waits for the next `attach`, for a moment. */
  hold(): void {
    if (this.#closed || this.#held !== undefined) return
    this.#held = []
    this.#holdEnd = setTimeout(() => this.#letGo(), HOLD_MS)
  }

  #letGo(): void {
    clearTimeout(this.#holdEnd)
    const held = this.#held ?? []
    this.#held = undefined
    for (const item of held) this.send(...item)
  }

  /** The flows of before are over: what is still under way for them is not understood any more. To be called before `attach`. */
  forget(): void {
    this.#session = undefined
    this.#older = undefined
    this.#packets.use(undefined)
  }

  /** The relay has something for a flow and hears nothing: UDP is asked, and a stream opened where it does not answer. */
  wake(): void {
    this.#reach.want(performance.now())
    this.#reach.hurry()
    this.#act()
  }

  send(kind: number, flow: number, payload: Uint8Array): boolean {
    this.#traffic = true
    if (this.#held !== undefined) {
      if (this.#held.push([kind, flow, Buffer.from(payload)]) > MAX_HELD) this.#held.shift()
      return true
    }
    if (this.#path === 'udp') {
      this.#packets.send(kind, flow, payload)
      return true
    }
    return this.#path === 'stream' && this.#streams.usable?.send(kind, flow, payload) === true
  }

  close(): void {
    if (this.#closed) return
    this.#packets.close()
    this.#closed = true
    this.#held = undefined
    clearTimeout(this.#holdEnd)
    clearTimeout(this.#timer)
    this.#turnEnd.close()
    this.#socket?.close()
    this.#streams.end()
    this.#setPath(undefined)
  }

  // What follows is for ChannelPackets.

  transmit(packet: SealedPacket): void {
    this.#socket?.send(packet)
  }

  onPacketItem(kind: number, flow: number, payload: Buffer): void {
    dispatchItem(this.#handlers, kind, flow, payload)
  }

  #renewSocket(): void {
    this.#socket?.close()
    const target = this.#target
    if (target === undefined) return
    this.#socket = new AgentDatagramSocket(target.host, target.port, this.#take, () => this.#act())
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
    this.#packets.searchSizes(sizesToTry(this.#target?.host ?? ''), performance.now())
    this.#choosePath()
    this.#act()
  }

  /** Does what is due, and comes back when the next thing may be. */
  #act(): void {
    if (this.#closed || this.#session === undefined) return
    const now = performance.now()
    if (this.#older !== undefined && now >= this.#olderUntil) this.#older = undefined
    const hadTraffic = this.#traffic
    if (hadTraffic) this.#reach.traffic(now)
    this.#traffic = false
    if (this.#options.isNeeded?.() === true) this.#reach.want(now)
    const { action, waitMs } = this.#reach.act(now)
    if (action === 'renew') this.#renewSocket()
    if (action === 'ping' && this.#socket?.open === true) {
      this.#packets.send(ItemKind.PING, this.#reach.nextId(now), this.#reach.up ? BY_UDP : NOTHING)
      this.#packets.flush()
    }
    const sizesEveryMs = this.#timings.checkEveryMs / 2
    // Timers come a little early.
    if (this.#reach.up && now - this.#packetsTickedAt >= 0.9 * sizesEveryMs) {
      this.#packetsTickedAt = now
      this.#packets.tick(now)
    }
    if (!this.#reach.isWanted(now)) this.#streams.end()
    this.#streams.keep(now, this.#reach.needsStream(now))
    this.#choosePath()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => this.#act(),
      Math.max(1, Math.min(waitMs, hadTraffic ? sizesEveryMs : STREAM_CHECK_MS)),
    )
  }

  #choosePath(): void {
    if (this.#closed) return
    if (!this.#reach.up) {
      this.#setPath(this.#streams.usable === undefined ? undefined : 'stream')
      return
    }
    this.#streams.end()
    this.#setPath('udp')
  }

  #setPath(path: ChannelPath): void {
    if (this.#path === path) return
    this.#path = path
    this.#options.onPath?.(path)
  }
}
