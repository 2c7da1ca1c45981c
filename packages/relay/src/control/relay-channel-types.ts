import type { Logger } from '../logger.js'
import type { Relay } from '../relay-types.js'
import {
  type ConnectionTimings,
  type ControlConnectionEvents,
  DEFAULT_CONNECTION_TIMINGS,
} from './control-connection-types.js'
import type { EndedConnection, RelayHello } from './control-relay-messages.js'

/** The part of a relay that the channel steers and reports on. */
export type SteerableRelay = Pick<
  Relay,
  | 'id'
  | 'epoch'
  | 'ticketKey'
  | 'publicHost'
  | 'dataPort'
  | 'fingerprint'
  | 'encryption'
  | 'revision'
  | 'apply'
  | 'change'
  | 'status'
  | 'traffic'
  | 'devices'
  | 'disconnectDevice'
  | 'setAdmission'
  | 'on'
>

export interface RelayChannelOptions {
  /** The panel's URL: http or https, no credentials in it. */
  panel: string | URL
  /** Token of a device of kind `server`, asked for before each connection. */
  token: () => string
  /** Started, and with the device's id as its own. */
  relay: SteerableRelay
  /** What the panel is told of the relay beyond what it says itself. */
  hello?: Pick<RelayHello, 'hostGroup' | 'region' | 'labels' | 'capacity' | 'portRange'>
  /** An HTTP proxy (http or https, credentials in the URL) to the panel, by CONNECT. Default: none. */
  proxy?: URL
  /** Told to the panel. Default: the version of this package. */
  version?: string
  /** Default: silent. */
  logger?: Logger
  timings?: Partial<RelayChannelTimings>
}

/** Waits of the channel, milliseconds. */
export interface RelayChannelTimings extends ConnectionTimings {
  /** Changes are gathered this long before a `relay_status` is sent, */
  statusDelayMs: number
  /** and one is sent at least this often. */
  statusIntervalMs: number
  /** How often traffic and ended connections are reported, if there are any. */
  reportIntervalMs: number
}

export const DEFAULT_RELAY_CHANNEL_TIMINGS: RelayChannelTimings = Object.freeze({
  ...DEFAULT_CONNECTION_TIMINGS,
  statusDelayMs: 250,
  statusIntervalMs: 30_000,
  reportIntervalMs: 1_000,
})

export interface RelayChannelEvents extends Omit<ControlConnectionEvents, 'refused'> {
  connected: { deviceId: string; name: string }
  /** A desired state or change is in force. `stored` false: after a restart the relay would not know of it. */
  applied: { revision: number; stored: boolean }
  /**
   * The channel has ended. `relay_id_mismatch`: the token is another device's. `declined`: the panel does not want this relay; told at the
   * first connection only, later it is tried again like any failure. The relay itself goes on: stopping it is the caller's.
   */
  refused: { reason: 'bad_token' | 'revoked' | 'relay_id_mismatch' | 'declined'; detail: string }
}

/**
 * Keeps a stand-alone relay connected to its panel: brings the desired state into force, reports conditions, traffic and ended connections,
 * and asks about players when the panel wants that. While the panel is away the relay goes on with what it has.
 */
export interface RelayChannel {
  /** Connects, for ever, until `stop()` or 'refused'; may be called again after either. */
  start(): void
  /** Reports traffic, ended connections and status once more. To have all of them in it, stop the relay before. */
  stop(): Promise<void>
  readonly connected: boolean
  /** As `ControlChannel.probe()`. */
  probe(): void
  /** Tells the panel that the relay takes no new allocations any more. */
  drain(): void
  /** After `stop()`: the ended connections that the panel could not be told of. They are forgotten here. */
  untold(): EndedConnection[]
  /** Ended connections of the process before this one, to be told to the panel. */
  adopt(connections: readonly EndedConnection[]): void
  on<E extends keyof RelayChannelEvents>(event: E, handler: (payload: RelayChannelEvents[E]) => void): () => void
}
