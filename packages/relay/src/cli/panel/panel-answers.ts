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
import { badAnswer } from './panel-error.js'

export interface EnrolmentStart {
  deviceCode: string
  userCode: string
  verificationUri: string
  /** The same with the code filled in (RFC 8628 section 3.2). */
  verificationUriComplete?: string
  /** Milliseconds since the epoch, by the panel's clock. */
  expiresAt: number
  /** Seconds. */
  interval: number
}

export type EnrolmentPoll =
  | { approved: false; interval?: number }
  | { approved: true; token: string; deviceId?: string; name?: string }

export interface Allocation {
  id: number
  protocol: 'tcp' | 'udp'
  host: string
  port: number
  localHost: string
  localPort: number
  status: string
  deviceId?: string
  /** For people. */
  name?: string
  /** Why the agent last could not reach the target. */
  targetError?: string
  relayId?: string
  relayName?: string
  relayOnline?: boolean
  traffic?: { bytesIn: number; bytesOut: number; connections: number; open: number }
}

const MAX_ALLOCATIONS = 10_000
const MAX_INTERVAL_S = 60
const SECRET = text(4_096, /^[\x21-\x7e]+$/)
const interval = number(0, 3_600)
const count = integer(0)
const port = integer(1, 65_535)
const host = text(253, /^[A-Za-z0-9._:%-]+$/)

export function readEnrolmentStart(body: unknown): EnrolmentStart {
  return understand(() => {
    const object = record(body, 'body')
    return {
      deviceCode: own(object, 'deviceCode', SECRET),
      userCode: own(object, 'userCode', text(32, /^[A-Za-z0-9-]+$/)),
      verificationUri: own(object, 'verificationUri', link),
      ...optional(object, 'verificationUriComplete', link),
      expiresAt: own(object, 'expiresAt', time),
      interval: Math.min(own(object, 'interval', interval), MAX_INTERVAL_S),
    }
  })
}

export function readEnrolmentPoll(body: unknown): EnrolmentPoll {
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

export function readAllocations(body: unknown): Allocation[] {
  return understand(() => own(record(body, 'body'), 'allocations', list(allocation, MAX_ALLOCATIONS)))
}

/** `{allocation}`, or `{allocations: [tcp, udp]}` for both. */
export function readMadeAllocations(body: unknown): [Allocation, ...Allocation[]] {
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
    ...optional(object, 'name', nullable(text(200)), path),
    ...optional(object, 'targetError', nullable(text(128)), path),
    ...optional(object, 'relayId', nullable(text(128)), path),
    ...optional(object, 'relayName', nullable(text(200)), path),
    ...optional(object, 'relayOnline', boolean, path),
    ...optional(object, 'traffic', traffic, path),
  } as Allocation
}

function traffic(value: unknown, path: string): Allocation['traffic'] & {} {
  const object = record(value, path)
  return {
    bytesIn: own(object, 'bytesIn', count, path),
    bytesOut: own(object, 'bytesOut', count, path),
    connections: own(object, 'connections', count, path),
    open: own(object, 'open', count, path),
  }
}

function nullable<T>(field: Field<T>): Field<T | undefined> {
  return (value, path) => (value === null ? undefined : field(value, path))
}

const link: Field<string> = (value, path) => {
  const href = text(2_048)(value, path)
  if (!URL.canParse(href) || !/^https?:$/.test(new URL(href).protocol)) throw new FieldError(path)
  return href
}

const time: Field<number> = (value, path) => {
  const at = Date.parse(text(64)(value, path))
  if (!Number.isFinite(at)) throw new FieldError(path)
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
