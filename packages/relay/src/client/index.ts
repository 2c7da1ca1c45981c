export { createPanelClient, type PanelClient, type PanelClientOptions } from './panel-client.js'
export { type ClientProblemCode, type FieldProblem, PanelProblem } from './panel-problem.js'
export { type PanelResult, unwrap } from './unwrap.js'
export type {
  Account,
  Allocation,
  AllocationOptions,
  AllocationTraffic,
  ApiKeyEntry,
  AuditEntry,
  Device,
  Enrolment,
  LiveEvent,
  Member,
  Organisation,
  Passkey,
  PasskeyCreationOptions,
  PasskeyRequestOptions,
  Problem,
  Relay,
  Session,
  Settings,
  TrafficSeries,
  User,
} from './views.js'
