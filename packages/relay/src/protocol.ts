/**
 * What agents and relays say to each other on the data port. The first frame of a connection decides what it is: LINK makes it the
 * device's link, DATA one player's stream. Messages are JSON except PING and PONG (up to 8 opaque bytes, echoed).
 */
import { isIP } from 'node:net'
import type { RejectError } from './agent-types.js'
import type { TransportProtocol } from './relay-types.js'

export const PROTOCOL_VERSION = 1

/** Payload of LINK, WELCOME, REFUSED and DATA. */
export const MAX_HANDSHAKE_BYTES = 4_096
/** Payload of every frame on a link once it is up. */
export const MAX_LINK_FRAME_BYTES = 16_384

export const FrameType: {
  readonly LINK: 1
  readonly WELCOME: 2
  readonly REFUSED: 3
  readonly REPLACED: 4
  readonly OPEN: 5
  readonly REJECT: 6
  readonly PING: 7
  readonly PONG: 8
  readonly DATA: 9
} = Object.freeze({
  LINK: 1,
  WELCOME: 2,
  REFUSED: 3,
  REPLACED: 4,
  OPEN: 5,
  REJECT: 6,
  PING: 7,
  PONG: 8,
  DATA: 9,
})

/** Agent to relay, first frame. */
export interface LinkMessage {
  protocol: number
  ticket: string
  version: string
}

/** Relay to agent. `resume` is a ticket for the next link; this one's is spent. */
export interface WelcomeMessage {
  protocol: number
  deviceId: string
  resume: string
  heartbeatMs: number
}

export type RefusedError =
  | 'ticket_invalid'
  | 'ticket_expired'
  | 'ticket_used'
  | 'ticket_revoked'
  | 'protocol_unsupported'
  | 'busy'

export interface RefusedMessage {
  error: RefusedError
}

/** Relay to agent: a player waits. */
export interface OpenMessage {
  connectionId: number
  allocationId: number
  protocol: TransportProtocol
  /** For DATA, once. */
  token: string
  target: { host: string; port: number }
  remoteAddress: string
  remotePort: number
}

/** Agent to relay: this player cannot be served. */
export interface RejectMessage {
  connectionId: number
  error: RejectError
}

/** Agent to relay, first frame of a connection of its own; what follows is the player's stream (udp: datagram frames). */
export interface DataMessage {
  token: string
}

const MAX_TICKET_LENGTH = 2_048
const MAX_NAME_LENGTH = 255
const MAX_TOKEN_LENGTH = 64
const MAX_PING_BYTES = 8
const REFUSED_ERRORS: readonly string[] = [
  'ticket_invalid',
  'ticket_expired',
  'ticket_used',
  'ticket_revoked',
  'protocol_unsupported',
  'busy',
] satisfies RefusedError[]
const REJECT_ERRORS: readonly string[] = [
  'target_refused',
  'target_unreachable',
  'target_timeout',
  'target_forbidden',
  'agent_busy',
] satisfies RejectError[]

export function encodeMessage(message: object): Buffer {
  return Buffer.from(JSON.stringify(message))
}

// Each parser returns undefined for what is not such a message and takes no more fields than it knows.

export function parseLink(payload: Buffer): LinkMessage | undefined {
  const { protocol, ticket, version } = parseObject(payload)
  if (!isInteger(protocol, 0, 65_535)) return undefined
  if (!isText(ticket, MAX_TICKET_LENGTH) || !isText(version, MAX_NAME_LENGTH)) return undefined
  return { protocol, ticket, version }
}

export function parseWelcome(payload: Buffer): WelcomeMessage | undefined {
  const { protocol, deviceId, resume, heartbeatMs } = parseObject(payload)
  if (protocol !== PROTOCOL_VERSION || !isInteger(heartbeatMs, 1, 3_600_000)) return undefined
  if (!isText(deviceId, MAX_NAME_LENGTH) || !isText(resume, MAX_TICKET_LENGTH)) return undefined
  return { protocol, deviceId, resume, heartbeatMs }
}

export function parseRefused(payload: Buffer): RefusedMessage | undefined {
  const { error } = parseObject(payload)
  return typeof error === 'string' && REFUSED_ERRORS.includes(error) ? { error: error as RefusedError } : undefined
}

export function parseOpen(payload: Buffer): OpenMessage | undefined {
  const { connectionId, allocationId, protocol, token, target, remoteAddress, remotePort } = parseObject(payload)
  const { host, port } = asRecord(target)
  if (!isInteger(connectionId, 0) || !isInteger(allocationId, 0)) return undefined
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined
  if (!isText(token, MAX_TOKEN_LENGTH) || !isText(host, MAX_NAME_LENGTH) || !isInteger(port, 1, 65_535))
    return undefined
  if (!isText(remoteAddress, MAX_NAME_LENGTH) || isIP(remoteAddress) === 0) return undefined
  if (!isInteger(remotePort, 0, 65_535)) return undefined
  return { connectionId, allocationId, protocol, token, target: { host, port }, remoteAddress, remotePort }
}

export function parseReject(payload: Buffer): RejectMessage | undefined {
  const { connectionId, error } = parseObject(payload)
  if (!isInteger(connectionId, 0) || typeof error !== 'string' || !REJECT_ERRORS.includes(error)) return undefined
  return { connectionId, error: error as RejectError }
}

export function parseData(payload: Buffer): DataMessage | undefined {
  const { token } = parseObject(payload)
  return isText(token, MAX_TOKEN_LENGTH) ? { token } : undefined
}

export function isPing(payload: Buffer): boolean {
  return payload.length <= MAX_PING_BYTES
}

function parseObject(payload: Buffer): Record<string, unknown> & ParsedFields {
  try {
    return asRecord(JSON.parse(payload.toString('utf8')))
  } catch {
    return {}
  }
}

/** Every field that some message has; all of them unknown until checked. */
interface ParsedFields {
  protocol?: unknown
  ticket?: unknown
  version?: unknown
  deviceId?: unknown
  resume?: unknown
  heartbeatMs?: unknown
  error?: unknown
  connectionId?: unknown
  allocationId?: unknown
  token?: unknown
  target?: unknown
  remoteAddress?: unknown
  remotePort?: unknown
  host?: unknown
  port?: unknown
}

function asRecord(value: unknown): Record<string, unknown> & ParsedFields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength && !value.includes('\0')
}

function isInteger(value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}
