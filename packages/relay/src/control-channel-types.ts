import type { Agent } from './agent-types.js'
import { DEFAULT_RETRY, type RetryTimings } from './backoff.js'
import type { StateMessage } from './control.js'
import type { Logger } from './logger.js'

/** The part of an agent that the channel steers. */
export type ControlledAgent = Pick<Agent, 'connect' | 'disconnect' | 'links' | 'refusals' | 'on'>

export interface ControlChannelOptions {
  /** The panel's URL: http or https, no credentials in it. */
  panel: string | URL
  /** The device token, asked for before each connection. */
  token: () => string
  agent: ControlledAgent
  /** Told to the panel. Default: the version of this package. */
  version?: string
  /** Default: silent. */
  logger?: Logger
  timings?: Partial<ControlTimings>
}

/** Waits of the channel, milliseconds unless named otherwise. The heartbeat's interval is the panel's to say. */
export interface ControlTimings extends RetryTimings {
  /** From the dial to the panel's `welcome`. */
  connectTimeoutMs: number
  /** A connection that lived this long makes the next tries quick again. */
  stableAfterMs: number
  /** How long to stay away after a newer connection of the device took over. */
  replacedRetryMs: number
  /** How often to look whether the panel has switched tunnels on, unless it says so itself (`Retry-After`). */
  featureRetryMs: number
  /** Changes are gathered this long before a `status` is sent, */
  statusDelayMs: number
  /** and one is sent at least this often. */
  statusIntervalMs: number
}

export const DEFAULT_CONTROL_TIMINGS: ControlTimings = Object.freeze({
  ...DEFAULT_RETRY,
  connectTimeoutMs: 15_000,
  stableAfterMs: 10_000,
  replacedRetryMs: 60_000,
  featureRetryMs: 5_000,
  statusDelayMs: 250,
  statusIntervalMs: 30_000,
})

export interface ControlChannelEvents {
  connected: { deviceId: string; name: string }
  /** A connection ended or a try failed, and the next follows. `reason` is a snake_case code, `detail` words for people. */
  disconnected: { reason: string; detail: string; wasConnected: boolean; retryInMs: number }
  /** The whole desired state, after the agent was told. */
  state: StateMessage
  /** The token is dead; the channel has ended. */
  refused: { reason: 'bad_token' | 'revoked'; detail: string }
  /** A newer connection of the same device took over. */
  replaced: { retryInMs: number }
  /** Tunnels are switched off at the panel. */
  waiting: { reason: 'feature_disabled'; retryInMs: number }
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
  /** The last desired state seen. */
  state(): StateMessage | undefined
  on<E extends keyof ControlChannelEvents>(event: E, handler: (payload: ControlChannelEvents[E]) => void): () => void
}
