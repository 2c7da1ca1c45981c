import type { RemoteInfo } from 'node:dgram'
import type { Socket } from 'node:net'
import type { ChannelClock, Ticking } from './channel-clock.js'
import type { ChannelSession, SealedPacket } from './channel-session.js'
import type { TurnEnd } from './channel-turn.js'

/** A channel as the endpoint sees it. */
export interface GroundChannel extends Ticking {
  /** A packet for this session. Says why it was of no use. */
  receive(session: ChannelSession, packet: Buffer, from: RemoteInfo): 'replayed' | 'forged' | undefined
  /** Takes the socket over. */
  acceptStream(socket: Socket): void
  /** Once in a while, at rest too. `now`: of `performance.now()`. */
  sweep(now: number): void
  close(): void
}

/** What all channels of a relay stand on. */
export interface ChannelGround {
  readonly turnEnd: TurnEnd
  readonly clock: ChannelClock
  /** Packets for this session are passed to the channel from now on. */
  route(session: ChannelSession, channel: GroundChannel): void
  unroute(session: ChannelSession): void
  transmit(packet: SealedPacket, port: number, address: string): void
  /** The channel is closed. */
  forget(channel: GroundChannel): void
}
