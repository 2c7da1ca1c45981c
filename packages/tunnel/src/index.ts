export type { Allocation, AllocationState, Traffic } from './allocations/allocation.js'
export type { QuotaSettings } from './allocations/quotas.js'
export type {
  EmbeddedRelayConfig,
  EnrolmentConfig,
  GatewayConfig,
  LiveConfig,
  PortRange,
  RelaysConfig,
  TrafficConfig,
  TunnelConfig,
  WebhookEndpoint,
} from './config.js'
export type { Device, DeviceKind } from './devices/device.js'
export type { Enrolment } from './enrolment/enrolment.js'
export type { PollAnswer } from './enrolment/poll.js'
export { tunnelErrors } from './errors.js'
export {
  allocationsChanged,
  allocationsServed,
  channelsReplaced,
  devicesRevoked,
  listsChanged,
  relaysChanged,
} from './events.js'
export type {
  AllocationAttempt,
  ConnectionAttempt,
  ConnectionEnd,
  EnrolmentAttempt,
  Hook,
  TunnelHooks,
  Verdict,
} from './hooks/hooks.js'
export type { AllocationTrafficNow, LiveEvent, LiveList } from './live/live-events.js'
export { approvePermission, readPermission, writePermission } from './permissions.js'
export { tunnel } from './plugin.js'
export { defaultRelayPolicy } from './relays/default-relay-policy.js'
export type { RelayCandidate, RelayPolicy, RelayRequest } from './relays/relay-policy.js'
export type { RelayRecord } from './relays/relay-record.js'
export type { LiveTraffic } from './traffic/running-totals.js'
export type { Resolution, TrafficPoint, TrafficSeries } from './traffic/series.js'
export type { TrafficAnswer } from './traffic/traffic-answer.js'
export { version } from './version.js'
export { type WebhookEvent, webhookEvents } from './webhooks/webhook-events.js'
export { verifyWebhook, type WebhookHeaders } from './webhooks/webhook-signature.js'
