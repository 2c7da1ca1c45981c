import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram'
import type { Socket as StreamSocket } from 'node:net'
import { isIPv6 } from 'node:net'
import { bindUdp } from '../flows/udp-socket.js'
import type { DatagramsMessage } from '../link/protocol.js'
import { ChannelClock } from './channel-clock.js'
import type { ChannelGround, GroundChannel } from './channel-ground.js'
import { isSameProof } from './channel-keys.js'
import { Outbox } from './channel-outbox.js'
import { channelOf, PACKET_OVERHEAD_BYTES } from './channel-packet.js'
import type { ChannelSession, SealedPacket } from './channel-session.js'
import { TurnEnd } from './channel-turn.js'
import type { DatagramChannelOptions } from './datagram-channel.js'
import { RelayDatagramChannel } from './relay-datagram-channel.js'

const TICK_MS = 500
const SWEEP_MS = 10_000

/** What came and was of no use, since the start. */
export interface DroppedPackets {
  /** Too short, or of no channel that is known. */
  unknown: number
  replayed: number
  /** The tag does not fit. */
  forged: number
  /** The kernel took no more for too long. */
  unsent: number
}

type Lookup = NonNullable<SocketOptions['lookup']>

/** Only addresses that packets came from are sent to. */
const asItIs: Lookup = (address, _options, done) => done(null, address, 0)

interface Route {
  session: ChannelSession
  channel: GroundChannel
}

/** The UDP side of the data port: one socket for the datagrams of all devices. */
export class RelayDatagramEndpoint implements ChannelGround {
  readonly turnEnd: TurnEnd = new TurnEnd()
  readonly clock: ChannelClock = new ChannelClock(TICK_MS)
  readonly #dropped: Record<'unknown' | 'replayed' | 'forged', number> = { unknown: 0, replayed: 0, forged: 0 }
  readonly #host: string
  readonly #routes: Map<bigint, Route> = new Map()
  readonly #channels: Set<GroundChannel> = new Set()
  #socket: Socket | undefined
  #outbox: Outbox | undefined
  #sweeper: NodeJS.Timeout | undefined

  /** `host`: the address to bind. */
  constructor(host: string) {
    this.#host = host
  }

  /** Binds the port; rejects with the system's error, and may then be called again. */
  async listen(port: number): Promise<number> {
    const socket = createSocket({ type: isIPv6(this.#host) ? 'udp6' : 'udp4', lookup: asItIs })
    try {
      const bound = await bindUdp(socket, this.#host, port)
      this.#use(socket)
      return bound
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /** A socket of the process before this one, in place of `listen`. */
  adopt(socket: Socket): number {
    socket.on('error', () => {})
    return this.#use(socket)
  }

  /** For the process that the port is handed over to. */
  get handle(): Socket | undefined {
    return this.#socket
  }

  get dropped(): DroppedPackets {
    return { ...this.#dropped, unsent: this.#outbox?.dropped ?? 0 }
  }

  /** A device's channel; `attach` gives it keys. */
  open(options: DatagramChannelOptions): RelayDatagramChannel {
    const channel = new RelayDatagramChannel(this, options)
    this.#channels.add(channel)
    return channel
  }

  /** A connection whose first frame was DATAGRAMS. Takes the socket over, or false. */
  acceptStream(socket: StreamSocket, message: DatagramsMessage): boolean {
    const route = this.#routes.get(BigInt(`0x${message.channel}`))
    if (route === undefined || !isSameProof(message.proof, route.session.proof)) return false
    route.channel.acceptStream(socket)
    return true
  }

  /** Closes every channel and the port. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    for (const channel of this.#channels) channel.close()
    this.turnEnd.close()
    this.clock.close()
    this.#outbox?.close()
    const socket = this.#socket
    this.#socket = undefined
    this.#outbox = undefined
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  // What follows is for RelayDatagramChannel.

  route(session: ChannelSession, channel: GroundChannel): void {
    this.#routes.set(session.channel, { session, channel })
  }

  unroute(session: ChannelSession): void {
    if (this.#routes.get(session.channel)?.session === session) this.#routes.delete(session.channel)
  }

  forget(channel: GroundChannel): void {
    this.#channels.delete(channel)
    this.clock.delete(channel)
  }

  transmit(packet: SealedPacket, port: number, address: string): void {
    this.#outbox?.send(packet, port, address)
  }

  #use(socket: Socket): number {
    socket.on('message', (packet, from) => this.#take(packet, from))
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    return socket.address().port
  }

  #take(packet: Buffer, from: RemoteInfo): void {
    const isPacket = packet.length >= PACKET_OVERHEAD_BYTES && from.port !== 0
    const route = !isPacket ? undefined : this.#routes.get(channelOf(packet))
    if (route === undefined) {
      this.#dropped.unknown += 1
      return
    }
    const dropped = route.channel.receive(route.session, packet, from)
    if (dropped !== undefined) this.#dropped[dropped] += 1
  }

  #sweep(): void {
    const now = performance.now()
    for (const channel of this.#channels) channel.sweep(now)
  }
}
