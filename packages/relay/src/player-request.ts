import type { Socket } from 'node:net'
import type { RejectError } from './agent-types.js'
import type { AllowList } from './allow-rule.js'
import type { ConnectionRecord } from './connection-record.js'
import type { AgentLimits } from './limits.js'
import type { OpenMessage } from './protocol.js'

/** One player to be served: what was asked, and how to answer. */
export interface PlayerRequest {
  message: OpenMessage
  allowed: AllowList
  limits: AgentLimits
  record: ConnectionRecord
  /** Aborted when the agent stops. */
  signal: AbortSignal
  /** Instead of a data connection. */
  refuse: (error: RejectError) => void
  /** The target was reached. */
  reached: () => void
  /** Dials the relay with this player's token. */
  openStream: () => Socket
}
