import type { Agent } from '../agent-types.js'
import type { Logger } from '../logger.js'
import type { StateMessage } from './control.js'
import {
  type ConnectionTimings,
  type ControlConnectionEvents,
  DEFAULT_CONNECTION_TIMINGS,
} from './control-connection-types.js'

/** The part of an agent that the channel steers. */
export type ControlledAgent = Pick<Agent, 'connect' | 'disconnect' | 'links' | 'refusals' | 'on'> &
  Partial<Pick<Agent, 'retainTraffic'>>

export interface ControlChannelOptions {
  /** The panel's URL: http or https, no credentials in it. */
  panel: string | URL
  /** The device token, asked for before each connection. */
  token: () => string
  agent: ControlledAgent
  /** An HTTP proxy (http or https, credentials in the URL) to the panel, by CONNECT. Default: none. */
  proxy?: URL
  /** Told to the panel. Default: the version of this package. */
  version?: string
  /** Default: silent. */
  logger?: Logger
  timings?: Partial<ControlTimings>
}

/** Waits of the channel, milliseconds unless named otherwise. */
export interface ControlTimings extends ConnectionTimings {
  /** Changes are gathered this long before a `status` is sent, */
  statusDelayMs: number
  /** and one is sent at least this often. */
  statusIntervalMs: number
}

export const DEFAULT_CONTROL_TIMINGS: ControlTimings = Object.freeze({
  ...DEFAULT_CONNECTION_TIMINGS,
  statusDelayMs: 250,
  statusIntervalMs: 30_000,
})

export interface ControlChannelEvents extends ControlConnectionEvents {
  connected: { deviceId: string; name: string }
  /** The whole desired state, after the agent was told. */
  state: StateMessage
}

/**
 * Keeps an agent connected to its panel: feeds the relays of the desired state to the agent, fetches tickets, reports links and refusals. Links
 * that stand are not touched when the panel goes away, when the token is refused, or by `stop()`: ending them is the agent's `stop()`.
 */
export interface ControlChannel {
  /** Connects, for ever, until `stop()` or 'refused'; may be called again after either. */
  start(): void
  stop(): Promise<void>
  readonly connected: boolean
  /**
   * After sleep or on another network: looks at once whether the connection is alive (without an answer within 3 s it is lost), and tries at once when the
   * next try waits; not after 'replaced'.
   */
  probe(): void
  /** The last desired state seen. */
  state(): StateMessage | undefined
  on<E extends keyof ControlChannelEvents>(event: E, handler: (payload: ControlChannelEvents[E]) => void): () => void
}
