import {
  type AgentMessage,
  CONTROL_LIMITS,
  type ControlAllocation,
  type ControlRelay,
  MAX_AGENT_MESSAGE_BYTES,
  MAX_PANEL_MESSAGE_BYTES,
  type PanelMessage,
  type RefusedAllocation,
  type RelayLinkStatus,
  type RelayMessage,
} from './control.js'
import { encryption, fingerprint, host, id, port, type Reader, revision } from './control-common-fields.js'
import * as read from './control-fields.js'
import { admissionTerms, panelToRelayReaders, relayHello, relayReaders } from './control-relay-fields.js'

/**
 * `too_large`: over the size limit · `bad_json`: no JSON object · `unknown_type`: a type this version does not know (a newer peer;
 * ignore it) · `bad_message`: a known type whose `field` is missing or out of bounds.
 */
export type ControlParseError = 'too_large' | 'bad_json' | 'unknown_type' | 'bad_message'

export type ControlParseResult<M> = { ok: true; message: M } | { ok: false; error: ControlParseError; field?: string }

const code = read.text(CONTROL_LIMITS.errorLength, /^[a-z0-9_]+$/)
const name = read.text(CONTROL_LIMITS.nameLength, undefined, 0)
const label = read.text(CONTROL_LIMITS.versionLength)
const ticket = read.text(CONTROL_LIMITS.ticketLength, /^[\x21-\x7e]+$/)
const protocolVersion = read.integer(1, 65_535)

const agentReaders = new Map<string, Reader<AgentMessage>>([
  [
    'hello',
    (body) => ({
      type: 'hello',
      protocol: read.own(body, 'protocol', protocolVersion),
      version: read.own(body, 'version', label),
      platform: read.own(body, 'platform', label),
      ...read.optional(body, 'relay', relayHello),
    }),
  ],
  [
    'status',
    (body) => ({
      type: 'status',
      revision: read.own(body, 'revision', revision),
      relays: read.own(body, 'relays', read.list(linkStatus, CONTROL_LIMITS.relays)),
      ...read.optional(body, 'refused', read.list(refusal, CONTROL_LIMITS.refused)),
    }),
  ],
  ['ticket', (body) => ({ type: 'ticket', relayId: read.own(body, 'relayId', id) })],
])

const panelReaders = new Map<string, Reader<PanelMessage>>([
  [
    'welcome',
    (body) => ({
      type: 'welcome',
      protocol: read.own(body, 'protocol', protocolVersion),
      deviceId: read.own(body, 'deviceId', id),
      name: read.own(body, 'name', name),
      heartbeatMs: read.own(
        body,
        'heartbeatMs',
        read.integer(CONTROL_LIMITS.minHeartbeatMs, CONTROL_LIMITS.maxHeartbeatMs),
      ),
      ...read.optional(body, 'admission', admissionTerms),
    }),
  ],
  [
    'state',
    (body) => ({
      type: 'state',
      revision: read.own(body, 'revision', revision),
      allocations: read.own(body, 'allocations', read.list(allocation, CONTROL_LIMITS.allocations)),
      relays: read.own(body, 'relays', read.list(relay, CONTROL_LIMITS.relays)),
    }),
  ],
  [
    'ticket',
    (body) => ({ type: 'ticket', relayId: read.own(body, 'relayId', id), ticket: read.own(body, 'ticket', ticket) }),
  ],
  [
    'error',
    (body) => ({
      type: 'error',
      error: read.own(body, 'error', code),
      detail: read.own(body, 'detail', read.text(CONTROL_LIMITS.detailLength, undefined, 0)),
    }),
  ],
  ...panelToRelayReaders,
])

/** Reads what an agent sent. Unknown fields are dropped. Never throws. */
export function parseAgentMessage(text: string): ControlParseResult<AgentMessage> {
  return parse(text, MAX_AGENT_MESSAGE_BYTES, agentReaders)
}

/** Reads what a relay sent after its `hello`. Unknown fields are dropped. Never throws. */
export function parseRelayMessage(text: string): ControlParseResult<RelayMessage> {
  return parse(text, MAX_AGENT_MESSAGE_BYTES, relayReaders)
}

/** Reads what a panel sent. Unknown fields are dropped. Never throws. */
export function parsePanelMessage(text: string): ControlParseResult<PanelMessage> {
  return parse(text, MAX_PANEL_MESSAGE_BYTES, panelReaders)
}

function parse<M>(text: string, maxBytes: number, readers: ReadonlyMap<string, Reader<M>>): ControlParseResult<M> {
  if (Buffer.byteLength(text) > maxBytes) return { ok: false, error: 'too_large' }
  let body: Record<string, unknown>
  try {
    body = read.record(JSON.parse(text), '')
  } catch {
    return { ok: false, error: 'bad_json' }
  }
  const type = Object.hasOwn(body, 'type') ? body['type'] : undefined
  if (typeof type !== 'string') return { ok: false, error: 'bad_message', field: 'type' }
  const reader = readers.get(type)
  if (!reader) return { ok: false, error: 'unknown_type' }
  try {
    return { ok: true, message: reader(body) }
  } catch (error) {
    if (error instanceof read.FieldError) return { ok: false, error: 'bad_message', field: error.field }
    throw error
  }
}

function linkStatus(value: unknown, path: string): RelayLinkStatus {
  const body = read.record(value, path)
  return {
    id: read.own(body, 'id', id, path),
    connected: read.own(body, 'connected', read.boolean, path),
    ...read.optional(body, 'rttMs', read.number(0, 3_600_000), path),
  }
}

function refusal(value: unknown, path: string): RefusedAllocation {
  const body = read.record(value, path)
  return {
    allocationId: read.own(body, 'allocationId', read.integer(1), path),
    error: read.own(body, 'error', code, path),
  }
}

function allocation(value: unknown, path: string): ControlAllocation {
  const body = read.record(value, path)
  return {
    id: read.own(body, 'id', read.integer(1), path),
    protocol: read.own(body, 'protocol', read.oneOf('tcp', 'udp'), path),
    host: read.own(body, 'host', host, path),
    port: read.own(body, 'port', port, path),
    localHost: read.own(body, 'localHost', host, path),
    localPort: read.own(body, 'localPort', port, path),
    status: read.own(body, 'status', code, path),
    relayId: read.own(body, 'relayId', id, path),
  }
}

function relay(value: unknown, path: string): ControlRelay {
  const body = read.record(value, path)
  return {
    id: read.own(body, 'id', id, path),
    ...read.optional(body, 'name', name, path),
    host: read.own(body, 'host', host, path),
    port: read.own(body, 'port', port, path),
    ...read.optional(body, 'fingerprint', fingerprint, path),
    ...read.optional(body, 'encryption', encryption, path),
    ticket: read.own(body, 'ticket', ticket, path),
  }
}
