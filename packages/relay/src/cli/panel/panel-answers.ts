import type { components } from '../../client/openapi.js'
import {
  boolean,
  type Field,
  FieldError,
  integer,
  list,
  number,
  oneOf,
  optional,
  own,
  record,
  text,
} from '../../control/control-fields.js'
import type { Answer, Unread } from './panel-calls.js'
import { badAnswer } from './panel-error.js'

type Schemas = components['schemas']
type Poll = Answer<'get', '/api/tunnel/device/poll'>
type Approved = Extract<Poll, { approved: true }>

/** Some of a schema's fields; the optional ones an older panel may leave out, or say `null` for nothing. A field that the API has no more breaks the build. */
type Read<T, Needed extends keyof T, Optional extends keyof T> = Pick<T, Needed> & {
  [K in Optional]?: NonNullable<T[K]>
}

export type EnrolmentStart = Read<
  Schemas['Enrolment'],
  'deviceCode' | 'userCode' | 'verificationUri' | 'interval',
  // With the code filled in (RFC 8628 section 3.2).
  'verificationUriComplete'
> & {
  /** Milliseconds since the epoch, by the panel's clock. */
  expiresAt: number
}

export type EnrolmentPoll =
  | Read<Exclude<Poll, Approved>, 'approved', 'interval'>
  | Read<Approved, 'approved' | 'token', 'deviceId' | 'name'>

export type Allocation = Read<
  Schemas['Allocation'],
  'id' | 'protocol' | 'host' | 'port' | 'localHost' | 'localPort',
  'deviceId' | 'name' | 'statusError' | 'targetError' | 'relayId' | 'relayName' | 'relayOnline' | 'traffic'
> & {
  /** One of the API's, or a newer panel's. */
  status: Schemas['Allocation']['status'] | (string & {})
}

const MAX_ALLOCATIONS = 10_000
const MAX_INTERVAL_S = 60
const SECRET = text(4_096, /^[\x21-\x7e]+$/)
const interval = number(0, 3_600)
const count = integer(0)
const port = integer(1, 65_535)
const host = text(253, /^[A-Za-z0-9._:%-]+$/)

export function readEnrolmentStart(body: Unread<Schemas['Enrolment']>): EnrolmentStart {
  return understand(() => {
    const object = record(body, 'body')
    return {
      deviceCode: own(object, 'deviceCode', SECRET),
      userCode: own(object, 'userCode', text(32, /^[A-Za-z0-9-]+$/)),
      verificationUri: own(object, 'verificationUri', link),
      ...optional(object, 'verificationUriComplete', link),
      expiresAt: Date.parse(own(object, 'expiresAt', time) satisfies Schemas['Enrolment']['expiresAt']),
      interval: Math.min(own(object, 'interval', interval), MAX_INTERVAL_S),
    }
  })
}

export function readEnrolmentPoll(body: Unread<Poll>): EnrolmentPoll {
  return understand(() => {
    const object = record(body, 'body')
    if (!own(object, 'approved', boolean)) return { approved: false, ...optional(object, 'interval', interval) }
    return {
      approved: true,
      token: own(object, 'token', SECRET),
      ...optional(object, 'deviceId', text(128)),
      ...optional(object, 'name', text(200)),
    }
  })
}

export function readAllocations(body: Unread<Answer<'get', '/api/tunnel/allocations'>>): Allocation[] {
  return understand(() => own(record(body, 'body'), 'allocations', list(allocation, MAX_ALLOCATIONS)))
}

export function readAllocation(body: Unread<Answer<'patch', '/api/tunnel/allocations/{id}'>>): Allocation {
  return understand(() => own(record(body, 'body'), 'allocation', allocation))
}

/** `{allocation}`, or `{allocations: [tcp, udp]}` for both. */
export function readMadeAllocations(
  body: Unread<Answer<'post', '/api/tunnel/allocations'>>,
): [Allocation, ...Allocation[]] {
  return understand(() => {
    const object = record(body, 'body')
    if (!Object.hasOwn(object, 'allocations')) return [own(object, 'allocation', allocation)]
    const [first, ...others] = own(object, 'allocations', list(allocation, 2))
    if (first === undefined) throw new FieldError('allocations')
    return [first, ...others]
  })
}

function allocation(value: unknown, path: string): Allocation {
  const object = record(value, path)
  return {
    id: own(object, 'id', integer(1), path),
    protocol: own(object, 'protocol', oneOf('tcp', 'udp'), path),
    host: own(object, 'host', host, path),
    port: own(object, 'port', port, path),
    localHost: own(object, 'localHost', host, path),
    localPort: own(object, 'localPort', port, path),
    status: own(object, 'status', text(64), path),
    ...optional(object, 'deviceId', text(128), path),
    ...unlessNull(object, 'name', text(200), path),
    ...unlessNull(object, 'statusError', text(128), path),
    ...unlessNull(object, 'targetError', text(128), path),
    ...unlessNull(object, 'relayId', text(128), path),
    ...unlessNull(object, 'relayName', text(200), path),
    ...optional(object, 'relayOnline', boolean, path),
    ...optional(object, 'traffic', traffic, path),
  }
}

function traffic(value: unknown, path: string): Schemas['Allocation']['traffic'] {
  const object = record(value, path)
  return {
    bytesIn: own(object, 'bytesIn', count, path),
    bytesOut: own(object, 'bytesOut', count, path),
    connections: own(object, 'connections', count, path),
    open: own(object, 'open', count, path),
  }
}

function unlessNull<K extends string, T>(
  object: Record<string, unknown>,
  key: K,
  field: Field<T>,
  path: string,
): { [P in K]?: T } {
  return object[key] === null ? {} : optional(object, key, field, path)
}

const link: Field<string> = (value, path) => {
  const href = text(2_048)(value, path)
  if (!URL.canParse(href) || !/^https?:$/.test(new URL(href).protocol)) throw new FieldError(path)
  return href
}

const time: Field<string> = (value, path) => {
  const at = text(64)(value, path)
  if (!Number.isFinite(Date.parse(at))) throw new FieldError(path)
  return at
}

function understand<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FieldError) throw badAnswer(error.field)
    throw error
  }
}
