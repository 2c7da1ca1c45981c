import { DEFAULT_RETRY, type RetryTimings } from '../backoff.js'

/** Waits of a connection to the panel, milliseconds. The heartbeat's interval is the panel's to say. */
export interface ConnectionTimings extends RetryTimings {
  /** From the dial to the panel's `welcome`. */
  connectTimeoutMs: number
  /** A connection that lived this long makes the next tries quick again. */
  stableAfterMs: number
  /** How long to stay away after a newer connection of the device took over. */
  replacedRetryMs: number
  /** How often to look whether the panel has switched tunnels on, unless it says so itself (`Retry-After`). */
  featureRetryMs: number
}

export const DEFAULT_CONNECTION_TIMINGS: ConnectionTimings = Object.freeze({
  ...DEFAULT_RETRY,
  connectTimeoutMs: 10_000,
  stableAfterMs: 10_000,
  replacedRetryMs: 60_000,
  featureRetryMs: 5_000,
})

export interface ControlConnectionEvents {
  /**
   * A connection ended or a try failed, and the next follows. `reason` is a snake_case code, `detail` words for people; `declined`: the panel
   * answered `hello` with a refusal.
   */
  disconnected: { reason: string; detail: string; wasConnected: boolean; declined: boolean; retryInMs: number }
  /** The token is dead; the channel has ended. */
  refused: { reason: 'bad_token' | 'revoked'; detail: string }
  /** A newer connection of the same device took over. */
  replaced: { retryInMs: number }
  /** Tunnels are switched off at the panel. */
  waiting: { reason: 'feature_disabled'; retryInMs: number }
}
