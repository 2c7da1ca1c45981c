export { createAgent } from './agent.js'
export type {
  Agent,
  AgentEvents,
  AgentLinkStatus,
  AgentOptions,
  AgentRefusal,
  AgentRelay,
  AgentTraffic,
  Encryption,
  RejectError,
} from './agent-types.js'
export {
  type AgentMessage,
  CONTROL_LIMITS,
  CONTROL_PATH,
  CONTROL_PROTOCOL,
  type ControlAllocation,
  ControlCloseCode,
  type ControlRelay,
  DEFAULT_HEARTBEAT_MS,
  type ErrorMessage,
  HELLO_TIMEOUT_MS,
  type HelloMessage,
  MAX_AGENT_MESSAGE_BYTES,
  MAX_PANEL_MESSAGE_BYTES,
  MISSED_HEARTBEATS,
  type PanelMessage,
  type RefusedAllocation,
  type RelayLinkStatus,
  type RelayMessage,
  type StateMessage,
  type StatusMessage,
  type TicketMessage,
  type TicketRequestMessage,
  type WelcomeMessage,
} from './control/control.js'
export { createControlChannel } from './control/control-channel.js'
export {
  type ControlChannel,
  type ControlChannelEvents,
  type ControlChannelOptions,
  type ControlledAgent,
  type ControlTimings,
  DEFAULT_CONTROL_TIMINGS,
} from './control/control-channel-types.js'
export { type ConnectionTimings, DEFAULT_CONNECTION_TIMINGS } from './control/control-connection-types.js'
export {
  type ControlParseError,
  type ControlParseResult,
  parseAgentMessage,
  parsePanelMessage,
  parseRelayMessage,
} from './control/control-parser.js'
export type {
  AdmissionAnswerMessage,
  AdmissionRequestMessage,
  EndedConnection,
  RelayChangeMessage,
  RelayConnectionsMessage,
  RelayDisconnectMessage,
  RelayHello,
  RelayStateMessage,
  RelayStatusMessage,
  RelayTrafficMessage,
} from './control/control-relay-messages.js'
export { splitRelayChange, splitRelayState } from './control/control-split.js'
export { createRelayChannel } from './control/relay-channel.js'
export {
  DEFAULT_RELAY_CHANNEL_TIMINGS,
  type RelayChannel,
  type RelayChannelEvents,
  type RelayChannelOptions,
  type RelayChannelTimings,
  type SteerableRelay,
} from './control/relay-channel-types.js'
export type { DroppedPackets } from './datagrams/relay-datagram-endpoint.js'
export { RELAY_ERRORS, RelayError, type RelayErrorCode } from './errors.js'
export type { HandOverChannel } from './handover/hand-over-line.js'
export { createTicketIssuer, type TicketIssuer } from './identity/tickets.js'
export { type AgentLimits, DEFAULT_AGENT_LIMITS, DEFAULT_RELAY_LIMITS, type RelayLimits } from './limits.js'
export type { Logger } from './logger.js'
export {
  countRefusals,
  METRICS_TYPE,
  type MeasuredRelay,
  type RefusalCounts,
  relayMetrics,
} from './metrics/prometheus.js'
export { createRelay } from './relay.js'
export type {
  Admission,
  AllocationCondition,
  AllocationOptions,
  AllocationStatus,
  AllocationTraffic,
  CertificatePair,
  CloseReason,
  PlayerKnock,
  Relay,
  RelayAllocation,
  RelayChange,
  RelayDevice,
  RelayEvents,
  RelayOptions,
  RelayState,
  RelayStatistics,
  RelayStatus,
  TransportProtocol,
} from './relay-types.js'
export { type AllocationOptionsResult, MAX_ADDRESS_RULES, parseAllocationOptions } from './state/allocation-options.js'
export { fileStorage } from './storage/file.js'
export { type KeyvLike, type KeyvStorageOptions, keyvStorage } from './storage/keyv.js'
export { memoryStorage } from './storage/memory.js'
export type { RelayStorage } from './storage/storage.js'
export { type AllowRule, LOOPBACK_RULES, parseAllowRule } from './target/allow-rule.js'
export type { LocalSourceMode } from './target/local-source.js'
export { packageVersion } from './version.js'
