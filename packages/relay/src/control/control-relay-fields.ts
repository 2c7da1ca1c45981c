import type { CloseReason, RelayAllocation } from '../relay-types.js'
import { parseRelayAllocation } from '../state/relay-state.js'
import { CONTROL_LIMITS, type PanelMessage, type RelayMessage, type WelcomeMessage } from './control.js'
import { encryption, fingerprint, host, id, port, type Reader, revision, time } from './control-common-fields.js'
import * as read from './control-fields.js'
import type {
  AdmissionRequestMessage,
  EndedConnection,
  RelayHello,
  RelayStatusMessage,
  RelayTrafficMessage,
} from './control-relay-messages.js'

const KEY_BYTES = { min: 32, max: 64 }
const BASE64URL = /^[A-Za-z0-9_-]+$/
const CLOSE_REASONS = {
  end: true,
  reset: true,
  cut: true,
  idle: true,
  no_link: true,
  busy: true,
  denied: true,
  timeout: true,
  target_refused: true,
  target_unreachable: true,
  target_timeout: true,
  target_forbidden: true,
  agent_busy: true,
} satisfies Record<CloseReason, true>

const allocationId = read.integer(0)
const count = read.integer(0)
const protocol = read.oneOf('tcp', 'udp')
const address = read.text(CONTROL_LIMITS.addressLength, /^[A-Za-z0-9._:%-]+$/)
const closeReason = read.oneOf(...(Object.keys(CLOSE_REASONS) as CloseReason[]))
const systemCode = read.text(CONTROL_LIMITS.errorLength, /^[A-Za-z0-9_]+$/)
const labelName = read.text(CONTROL_LIMITS.labelNameLength, /^[A-Za-z0-9][A-Za-z0-9._/-]*$/)
const labelValue = read.text(CONTROL_LIMITS.labelValueLength, undefined, 0)
const name = read.text(CONTROL_LIMITS.idLength)

export const relayReaders: ReadonlyMap<string, Reader<RelayMessage>> = new Map<string, Reader<RelayMessage>>([
  [
    'relay_status',
    (body) => ({
      type: 'relay_status',
      revision: read.own(body, 'revision', revision),
      allocations: read.own(body, 'allocations', read.list(condition, CONTROL_LIMITS.relayStatuses)),
      devices: read.own(body, 'devices', count),
      connections: read.own(body, 'connections', count),
      draining: read.own(body, 'draining', read.boolean),
      time: read.own(body, 'time', time),
    }),
  ],
  [
    'relay_traffic',
    (body) => ({
      type: 'relay_traffic',
      epoch: read.own(body, 'epoch', id),
      totals: read.own(body, 'totals', read.list(totals, CONTROL_LIMITS.relayTotals)),
    }),
  ],
  [
    'relay_connections',
    (body) => ({
      type: 'relay_connections',
      ended: read.own(body, 'ended', read.list(endedConnection, CONTROL_LIMITS.relayEnded)),
      dropped: read.own(body, 'dropped', count),
    }),
  ],
  [
    'admission',
    (body): AdmissionRequestMessage => ({
      type: 'admission',
      id: read.own(body, 'id', count),
      allocationId: read.own(body, 'allocationId', allocationId),
      protocol: read.own(body, 'protocol', protocol),
      remoteAddress: read.own(body, 'remoteAddress', address),
      remotePort: read.own(body, 'remotePort', read.integer(0, 65_535)),
    }),
  ],
])

/** What a panel says to relays only. */
export const panelToRelayReaders: ReadonlyMap<string, Reader<PanelMessage>> = new Map<string, Reader<PanelMessage>>([
  [
    'relay_state',
    (body) => ({
      type: 'relay_state',
      revision: read.own(body, 'revision', revision),
      ...readParts(body),
      allocations: read.own(body, 'allocations', read.list(relayAllocation, CONTROL_LIMITS.relayPartAllocations)),
    }),
  ],
  [
    'relay_change',
    (body) => {
      const base = read.own(body, 'base', revision)
      return {
        type: 'relay_change',
        base,
        revision: read.own(body, 'revision', read.integer(base + 1)),
        ...readParts(body),
        upsert: read.own(body, 'upsert', read.list(relayAllocation, CONTROL_LIMITS.relayPartAllocations)),
        remove: read.own(body, 'remove', read.list(allocationId, CONTROL_LIMITS.relayPartAllocations)),
      }
    },
  ],
  ['relay_disconnect', (body) => ({ type: 'relay_disconnect', deviceId: read.own(body, 'deviceId', id) })],
  [
    'admission',
    (body) => ({
      type: 'admission',
      id: read.own(body, 'id', count),
      allow: read.own(body, 'allow', read.boolean),
    }),
  ],
])

/** `relay` of a `hello`. */
export function relayHello(value: unknown, path: string): RelayHello {
  const body = read.record(value, path)
  return {
    publicHost: read.own(body, 'publicHost', host, path),
    dataPort: read.own(body, 'dataPort', port, path),
    ...read.optional(body, 'fingerprint', fingerprint, path),
    ...read.optional(body, 'encryption', encryption, path),
    ...read.optional(body, 'hostGroup', name, path),
    ...read.optional(body, 'region', name, path),
    ...read.optional(body, 'labels', labels, path),
    ...read.optional(body, 'capacity', read.integer(0, CONTROL_LIMITS.relayAllocations), path),
    ...read.optional(body, 'portRange', portRange, path),
    ticketKey: read.own(body, 'ticketKey', ticketKey, path),
    epoch: read.own(body, 'epoch', id, path),
    revision: read.own(body, 'revision', revision, path),
    time: read.own(body, 'time', time, path),
  }
}

/** `admission` of a `welcome`. */
export function admissionTerms(value: unknown, path: string): NonNullable<WelcomeMessage['admission']> {
  const body = read.record(value, path)
  const { minAdmissionMs, maxAdmissionMs } = CONTROL_LIMITS
  return {
    timeoutMs: read.own(body, 'timeoutMs', read.integer(minAdmissionMs, maxAdmissionMs), path),
    otherwise: read.own(body, 'otherwise', read.oneOf('allow', 'deny'), path),
  }
}

function readParts(body: Record<string, unknown>): { part: number; parts: number } {
  const parts = read.own(body, 'parts', read.integer(1, CONTROL_LIMITS.relayParts))
  return { part: read.own(body, 'part', read.integer(0, parts - 1)), parts }
}

function relayAllocation(value: unknown, path: string): RelayAllocation {
  const parsed = parseRelayAllocation(value)
  if (!parsed.ok) throw new read.FieldError(`${path}.${parsed.field}`)
  return parsed.allocation
}

function condition(value: unknown, path: string): RelayStatusMessage['allocations'][number] {
  const body = read.record(value, path)
  return {
    id: read.own(body, 'id', allocationId, path),
    status: read.own(body, 'status', read.oneOf('starting', 'listening', 'failed', 'paused'), path),
    ...read.optional(body, 'error', systemCode, path),
  }
}

function totals(value: unknown, path: string): RelayTrafficMessage['totals'][number] {
  const row = read.list(count, 5)(value, path)
  if (row.length !== 5) throw new read.FieldError(path)
  return row as RelayTrafficMessage['totals'][number]
}

function endedConnection(value: unknown, path: string): EndedConnection {
  const body = read.record(value, path)
  return {
    allocationId: read.own(body, 'allocationId', allocationId, path),
    protocol: read.own(body, 'protocol', protocol, path),
    remoteAddress: read.own(body, 'remoteAddress', address, path),
    remotePort: read.own(body, 'remotePort', read.integer(0, 65_535), path),
    bytesIn: read.own(body, 'bytesIn', count, path),
    bytesOut: read.own(body, 'bytesOut', count, path),
    durationMs: read.own(body, 'durationMs', count, path),
    reason: read.own(body, 'reason', closeReason, path),
  }
}

function labels(value: unknown, path: string): Record<string, string> {
  const entries = Object.entries(read.record(value, path))
  if (entries.length > CONTROL_LIMITS.labels) throw new read.FieldError(path)
  return Object.fromEntries(
    entries.map(([key, text]) => [labelName(key, path), labelValue(text, `${path}.${key}`)] as const),
  )
}

function portRange(value: unknown, path: string): { from: number; to: number } {
  const body = read.record(value, path)
  const from = read.own(body, 'from', port, path)
  return { from, to: read.own(body, 'to', read.integer(from, 65_535), path) }
}

function ticketKey(value: unknown, path: string): string {
  const text = read.text(Math.ceil((KEY_BYTES.max * 4) / 3), BASE64URL)(value, path)
  const bytes = Buffer.from(text, 'base64url')
  // One spelling for one key.
  if (bytes.length < KEY_BYTES.min || bytes.length > KEY_BYTES.max || bytes.toString('base64url') !== text) {
    throw new read.FieldError(path)
  }
  return text
}
