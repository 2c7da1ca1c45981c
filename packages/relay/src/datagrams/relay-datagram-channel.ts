import type { RemoteInfo } from 'node:dgram'
import type { Socket } from 'node:net'
import { AgentPlace } from './agent-place.js'
import type { ChannelGround, GroundChannel } from './channel-ground.js'
import { ItemKind } from './channel-items.js'
import type { ChannelSecrets } from './channel-keys.js'
import { sizesToTry } from './channel-mtu.js'
import { ChannelPackets, type PacketsOwner } from './channel-packets.js'
import { ChannelSession, type SealedPacket } from './channel-session.js'
import { ChannelStream } from './channel-stream.js'
import {
  type ChannelPath,
  type DatagramChannel,
  type DatagramChannelOptions,
  dispatchItem,
  type ItemHandlers,
  USES_UDP,
} from './datagram-channel.js'

/** A session of before is still understood for this long, for what is under way. */
const OVERLAP_MS = 5_000
/** The agent says something every ten seconds; three times nothing, and it is not there. */
const SILENCE_MS = 32_000
/** While something is sent, the agent is asked after this much silence … */
const ASK_AFTER_MS = 1_000
/** … and this much unanswered means that UDP does not get through. */
const UNANSWERED_MS = 4_000
/** Ticks without traffic until there are none any more. */
const RESTLESS_TICKS = 16
/** No UDP packet is under way for longer. */
const NEW_STREAM_MS = 2_000
const NOTHING: Buffer = Buffer.alloc(0)

/** The relay's end of one device's datagrams. Made by `RelayDatagramEndpoint.open`. */
export class RelayDatagramChannel implements DatagramChannel, GroundChannel, PacketsOwner, ItemHandlers {
  readonly #ground: ChannelGround
  readonly #options: DatagramChannelOptions
  readonly #packets: ChannelPackets
  /** Known to the endpoint: the newest, and the one before while it overlaps. */
  #newest: ChannelSession | undefined
  #older: ChannelSession | undefined
  #olderUntil = 0
  /** The one in use for sending: the agent has shown that it has its keys. */
  #active: ChannelSession | undefined
  readonly #place: AgentPlace = new AgentPlace()
  /** What is sent right now goes to the newest place, whatever else is known of it. */
  #asking = false
  #stream: ChannelStream | undefined
  #path: ChannelPath
  #heardAt = Number.NEGATIVE_INFINITY
  /** Since when something was sent without anything heard; 0: nothing was. */
  #unheardSince = 0
  #restless = 0
  #ticking = false
  #closed = false

  constructor(ground: ChannelGround, options: DatagramChannelOptions) {
    this.#ground = ground
    this.#options = options
    this.#packets = new ChannelPackets(this, ground.turnEnd, options.limits.maxUdpBufferBytes)
  }

  get path(): ChannelPath {
    return this.#path
  }

  /** Bytes of the largest UDP payload sent. */
  get packetBytes(): number {
    return this.#packets.packetBytes
  }

  /** A link was welcomed: its keys are taken from now on, those of before for a short while. */
  attach(secrets: ChannelSecrets): void {
    if (this.#closed) return
    if (this.#older !== undefined) this.#drop(this.#older)
    this.#older = this.#newest
    this.#olderUntil = performance.now() + OVERLAP_MS
    this.#newest = new ChannelSession('relay', secrets)
    this.#ground.route(this.#newest, this)
    // Somebody has to end the overlap.
    if (this.#older !== undefined) this.#stir()
  }

  send(kind: number, flow: number, payload: Uint8Array): boolean {
    if (this.#path === undefined) return false
    this.#stir()
    if (this.#path === 'stream') return this.#stream?.send(kind, flow, payload) === true
    if (this.#unheardSince === 0) this.#unheardSince = performance.now()
    this.#packets.send(kind, flow, payload)
    return true
  }

  receive(session: ChannelSession, packet: Buffer, from: RemoteInfo): 'replayed' | 'forged' | undefined {
    const opened = session.open(packet)
    if (!opened.ok) return opened.reason
    this.#heardAt = performance.now()
    this.#unheardSince = 0
    // Only the newest packet says where the agent is now (RFC 9000 section 9.3); NATs move it.
    if (opened.newest) this.#locate(session, from)
    if (this.#hasWay) this.#setPath('udp')
    this.#packets.deliver(opened.bundle)
    return undefined
  }

  /** A connection whose first frame was DATAGRAMS with this session's proof. Of several the newest is used. */
  acceptStream(socket: Socket): void {
    const older = this.#stream
    const handlers: ItemHandlers = {
      onItem: (kind, flow, payload) => this.onItem(kind, flow, payload),
      answer: (kind, id) => stream.send(kind, id, NOTHING),
    }
    const stream = new ChannelStream(socket, {
      maxBufferBytes: this.#options.limits.maxUdpBufferBytes,
      onItem: (kind, flow, payload) => dispatchItem(handlers, kind, flow, payload),
      onEnd: () => this.#leave(stream),
      onClose: () => this.#leave(stream),
    })
    this.#stream = stream
    older?.end()
    this.#packets.flush()
    this.#setPath('stream')
  }

  tick(now: number): boolean {
    if (this.#closed) return false
    if (this.#older !== undefined && now >= this.#olderUntil) {
      this.#drop(this.#older)
      this.#older = undefined
    }
    if (this.#active !== undefined) this.#ask(now)
    if (this.#path === 'udp') {
      if (this.#unheardSince > 0 && now - this.#unheardSince >= UNANSWERED_MS) this.#lose()
      else if (this.#unheardSince > 0 && now - this.#unheardSince >= ASK_AFTER_MS) {
        this.#packets.send(ItemKind.PING, 0, NOTHING)
        this.#options.onSilence?.()
      }
      this.#packets.tick(now)
    }
    this.#restless -= 1
    this.#ticking = this.#restless > 0 || this.#older !== undefined
    return this.#ticking
  }

  sweep(now: number): void {
    if (this.#path === 'udp' && now - this.#heardAt >= SILENCE_MS) this.#lose()
    const stream = this.#stream
    if (stream !== undefined && now - stream.heardAt >= SILENCE_MS) stream.destroy()
  }

  close(): void {
    if (this.#closed) return
    this.#packets.close()
    this.#closed = true
    if (this.#older !== undefined) this.#drop(this.#older)
    if (this.#newest !== undefined) this.#drop(this.#newest)
    this.#ground.forget(this)
    this.#stream?.end()
    this.#setPath(undefined)
  }

  // What follows is for ChannelPackets, and for what comes in packets.

  transmit(packet: SealedPacket): void {
    const place = this.#asking ? this.#place.current : this.#place.destination(packet)
    if (place !== undefined) this.#ground.transmit(packet, place.port, place.address)
  }

  onPacketItem(kind: number, flow: number, payload: Buffer): void {
    dispatchItem(this, kind, flow, payload)
  }

  onItem(kind: number, flow: number, payload: Buffer): void {
    if (this.#closed) return
    this.#stir()
    this.#options.onItem(kind, flow, payload)
  }

  answer(kind: number, flow: number): void {
    this.#packets.send(kind, flow, NOTHING)
  }

  /**
   * The agent says over UDP which way it takes. When that is UDP, a stream that is still here is dead, its end got lost; but one
   * that has just been opened is later news.
   */
  onPing(payload: Buffer): void {
    const stream = this.#stream
    if (stream === undefined || payload[0] !== USES_UDP || performance.now() - stream.openedAt < NEW_STREAM_MS) return
    this.#leave(stream)
  }

  onPong(id: number): void {
    if (!this.#place.answered(id)) return
    this.#packets.searchSizes(sizesToTry(this.#place.current?.address ?? ''), this.#heardAt)
    if (this.#hasWay) this.#setPath('udp')
  }

  #locate(session: ChannelSession, from: RemoteInfo): void {
    if (session !== this.#active) {
      if (session !== this.#newest) return
      this.#active = session
      this.#packets.use(session)
    }
    if (this.#place.follow(from.address, from.port)) {
      this.#packets.searchSizes([], this.#heardAt)
      this.#stir()
    }
    this.#ask(this.#heardAt)
  }

  /** A new place is asked whether the agent is there. */
  #ask(now: number): void {
    const id = this.#place.ask(now)
    if (id === undefined) return
    this.#packets.flush()
    this.#asking = true
    this.#packets.send(ItemKind.PING, id, NOTHING)
    this.#packets.flush()
    this.#asking = false
  }

  /** What is sent by UDP arrives, as far as is known. */
  get #hasWay(): boolean {
    return this.#stream === undefined && this.#active !== undefined && this.#place.proven
  }

  /** The agent went back to UDP, or is gone. */
  #leave(stream: ChannelStream): void {
    stream.end()
    if (this.#stream !== stream) return
    this.#stream = undefined
    const isHeard = performance.now() - this.#heardAt < UNANSWERED_MS
    this.#setPath(isHeard && this.#hasWay ? 'udp' : undefined)
  }

  #lose(): void {
    this.#unheardSince = 0
    if (this.#path === 'udp') this.#setPath(undefined)
  }

  #drop(session: ChannelSession): void {
    this.#ground.unroute(session)
    if (this.#active !== session) return
    this.#active = undefined
    this.#packets.use(undefined)
    this.#lose()
  }

  /** There is traffic: ticks are wanted for a while. */
  #stir(): void {
    this.#restless = RESTLESS_TICKS
    if (this.#ticking || this.#closed) return
    this.#ticking = true
    this.#ground.clock.add(this)
  }

  #setPath(path: ChannelPath): void {
    if (this.#path === path) return
    this.#path = path
    this.#unheardSince = 0
    this.#options.onPath?.(path)
  }
}
