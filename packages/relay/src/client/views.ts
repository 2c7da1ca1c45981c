import type { components } from './openapi.js'

type Schemas = components['schemas']

export type Account = Schemas['Account']
export type Allocation = Schemas['Allocation']
export type AllocationOptions = Schemas['AllocationOptions']
/** Running totals of an allocation, and its rates. */
export type AllocationTraffic = Schemas['AllocationTraffic']
/** Of an API key, all but the key. */
export type ApiKeyEntry = Schemas['ApiKey']
export type AuditEntry = Schemas['AuditEntry']
export type Device = Schemas['Device']
export type Enrolment = Schemas['Enrolment']
/** What `GET /api/tunnel/events` tells: the name of an event and its data. */
export type LiveEvent = Schemas['LiveEvent']
export type Member = Schemas['Member']
export type Organisation = Schemas['Organisation']
export type Passkey = Schemas['Passkey']
/** For `navigator.credentials`, by way of a library: WebAuthn's JSON. */
export type PasskeyCreationOptions = Schemas['PasskeyCreationOptions']
export type PasskeyRequestOptions = Schemas['PasskeyRequestOptions']
/** Every error answer (RFC 9457). */
export type Problem = Schemas['Problem']
export type Relay = Schemas['Relay']
export type Session = Schemas['Session']
export type Settings = Schemas['Settings']
export type TrafficSeries = Schemas['TrafficSeries']
export type User = Schemas['User']
