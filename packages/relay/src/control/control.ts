import type { Encryption } from '../agent-types.js'
import type {
  AdmissionAnswerMessage,
  AdmissionRequestMessage,
  RelayChangeMessage,
  RelayConnectionsMessage,
  RelayDisconnectMessage,
  RelayHello,
  RelayStateMessage,
  RelayStatusMessage,
  RelayTrafficMessage,
} from './control-relay-messages.js'

/** Version of the control protocol: JSON text frames on the WebSocket `/api/tunnel/ws`. */
export const CONTROL_PROTOCOL: 1 = 1

/** Path of the control channel under the panel's URL. */
export const CONTROL_PATH: '/api/tunnel/ws' = '/api/tunnel/ws'

/** WebSocket close codes (RFC 6455 section 7.4.2: 4000-4999 are the application's own). */
export const ControlCloseCode: {
  readonly goingAway: 1001
  readonly badMessage: 4400
  readonly badToken: 4401
  readonly revoked: 4403
  readonly replaced: 4409
} = Object.freeze({ goingAway: 1001, badMessage: 4400, badToken: 4401, revoked: 4403, replaced: 4409 })

/** Largest message an agent may send, in UTF-8 bytes; the panel's `maxPayload`. */
export const MAX_AGENT_MESSAGE_BYTES: number = 64 * 1024

/** Largest message a panel may send, in UTF-8 bytes; the agent's `maxPayload`. */
export const MAX_PANEL_MESSAGE_BYTES: number = 1024 * 1024

/** The agent's `hello` must be the first message and arrive within this time after the upgrade. */
export const HELLO_TIMEOUT_MS: number = 5_000

/** Both sides send a WebSocket ping this often unless `welcome` names another interval. */
export const DEFAULT_HEARTBEAT_MS: number = 5_000

/** Nothing heard for this many heartbeats: the connection is dead. */
export const MISSED_HEARTBEATS: number = 2

/** Bounds of every field. Lengths are UTF-16 units, counts are items. */
export const CONTROL_LIMITS: {
  readonly allocations: number
  readonly relays: number
  readonly refused: number
  readonly idLength: number
  readonly nameLength: number
  readonly hostLength: number
  readonly versionLength: number
  readonly errorLength: number
  readonly detailLength: number
  readonly ticketLength: number
  readonly minHeartbeatMs: number
  readonly maxHeartbeatMs: number
  /** Of one relay, all parts together. */
  readonly relayAllocations: number
  /** Messages of one revision. */
  readonly relayParts: number
  /** Allocations (and removed ids, each) in one message to a relay. */
  readonly relayPartAllocations: number
  readonly relayStatuses: number
  readonly relayTotals: number
  readonly relayEnded: number
  readonly labels: number
  readonly labelNameLength: number
  readonly labelValueLength: number
  readonly addressLength: number
  readonly minAdmissionMs: number
  readonly maxAdmissionMs: number
} = Object.freeze({
  allocations: 2_048,
  relays: 64,
  refused: 256,
  idLength: 128,
  nameLength: 200,
  hostLength: 253,
  versionLength: 64,
  errorLength: 64,
  detailLength: 1_000,
  ticketLength: 2_048,
  minHeartbeatMs: 50,
  maxHeartbeatMs: 60_000,
  relayAllocations: 131_072,
  relayParts: 1_024,
  relayPartAllocations: 4_096,
  relayStatuses: 1_024,
  relayTotals: 2_048,
  relayEnded: 512,
  labels: 16,
  labelNameLength: 64,
  labelValueLength: 128,
  addressLength: 64,
  minAdmissionMs: 10,
  maxAdmissionMs: 30_000,
})

/** agent → panel, first. `platform` is e.g. `linux-x64`. A `protocol` other than CONTROL_PROTOCOL parses; refusing it is the receiver's. */
export interface HelloMessage {
  type: 'hello'
  protocol: number
  version: string
  platform: string
  /** Set by a stand-alone relay, whose device is of kind `server`. */
  relay?: RelayHello
}

/** agent → panel: how the agent stands to the state of `revision`; `refused` are allocations its own rules forbid. */
export interface StatusMessage {
  type: 'status'
  revision: number
  relays: RelayLinkStatus[]
  refused?: RefusedAllocation[]
}

export interface RelayLinkStatus {
  id: string
  connected: boolean
  /** Round trip to the relay, milliseconds. */
  rttMs?: number
}

export interface RefusedAllocation {
  allocationId: number
  /** snake_case code, e.g. `target_forbidden`. */
  error: string
}

/** agent → panel: the relay no longer takes the ticket held, a fresh one is wanted. */
export interface TicketRequestMessage {
  type: 'ticket'
  relayId: string
}

/** panel → agent or relay: the answer to `hello`. */
export interface WelcomeMessage {
  type: 'welcome'
  protocol: number
  deviceId: string
  name: string
  heartbeatMs: number
  /** To a relay: ask about each player (`admission`), and what holds without an answer. Left out: everybody is let in. */
  admission?: { timeoutMs: number; otherwise: 'allow' | 'deny' }
}

/** panel → agent: the whole desired state, sent after `welcome` and on every change. `revision` only grows on one connection. */
export interface StateMessage {
  type: 'state'
  revision: number
  allocations: ControlAllocation[]
  relays: ControlRelay[]
}

export interface ControlAllocation {
  id: number
  protocol: 'tcp' | 'udp'
  /** Public address that players use. */
  host: string
  port: number
  /** The service on the agent's side. */
  localHost: string
  localPort: number
  /** snake_case, as in `GET /api/tunnel/allocations`. */
  status: string
  relayId: string
}

export interface ControlRelay {
  id: string
  /** For people. Left out: the relay has none. */
  name?: string
  /** The relay's data port, which the agent dials. */
  host: string
  port: number
  /** As in `RelayHello`. */
  fingerprint?: string
  encryption?: Encryption
  /** One-time ticket for the relay's link; opaque to the agent. */
  ticket: string
}

/** panel → agent: a fresh ticket. */
export interface TicketMessage {
  type: 'ticket'
  relayId: string
  ticket: string
}

/** panel → agent: why the close that follows. */
export interface ErrorMessage {
  type: 'error'
  error: string
  detail: string
}

export type AgentMessage = HelloMessage | StatusMessage | TicketRequestMessage
/** What a relay sends after its `hello`. */
export type RelayMessage = RelayStatusMessage | RelayTrafficMessage | RelayConnectionsMessage | AdmissionRequestMessage
export type PanelMessage =
  | WelcomeMessage
  | StateMessage
  | TicketMessage
  | ErrorMessage
  | RelayStateMessage
  | RelayChangeMessage
  | RelayDisconnectMessage
  | AdmissionAnswerMessage
