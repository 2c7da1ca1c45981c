/**
 * What agents and relays say to each other on the data port. The first frame of a connection decides what it is: LINK makes it the
 * device's link, DATA a data connection, which serves one player after another, DATAGRAMS the stream that stands in where UDP does
 * not get through. Messages are JSON except PING and PONG (up to 8 opaque bytes, echoed), CHUNK (the stream's bytes), END,
 * ABORT and RESET (empty).
 *
 * A data connection is ready after its DATA frame. For each player the relay sends START and, without waiting, what the player says:
 * CHUNKs, then END or ABORT. The agent answers ACCEPT or REFUSE; behind ACCEPT come CHUNKs, then END or ABORT. When both sides have
 * ended (END, ABORT, REFUSE) the connection is ready for the next START. A connection that closes earlier broke off its player. Who has said
 * END and is reset before the other's END has come says RESET; when that one is under way, RESET comes to nobody and is passed over.
 * PING (empty here) may come at any time and is answered by PONG; while much waits to be sent, one PONG answers them all.
 */
import { isIP } from 'node:net'
import type { RejectError } from '../agent-types.js'
import { isInteger, isText } from '../untrusted.js'

export const PROTOCOL_VERSION = 2

/** Payload of LINK, WELCOME, REFUSED and DATA. */
export const MAX_HANDSHAKE_BYTES = 4_096
/** Payload of every frame on a link once it is up. */
export const MAX_LINK_FRAME_BYTES = 16_384
/** Payload of a CHUNK. */
export const MAX_CHUNK_BYTES = 1_048_576
/** Tokens in one ORDER. */
export const MAX_ORDER = 64

export const FrameType: {
  readonly LINK: 1
  readonly WELCOME: 2
  readonly REFUSED: 3
  readonly REPLACED: 4
  readonly PING: 7
  readonly PONG: 8
  readonly DATA: 9
  readonly ORDER: 10
  readonly SHORT: 11
  readonly MOVED: 12
  readonly DATAGRAMS: 13
  readonly WAKE: 14
  readonly START: 16
  readonly ACCEPT: 17
  readonly REFUSE: 18
  readonly CHUNK: 19
  readonly END: 20
  readonly ABORT: 21
  readonly RESET: 22
} = Object.freeze({
  LINK: 1,
  WELCOME: 2,
  REFUSED: 3,
  REPLACED: 4,
  PING: 7,
  PONG: 8,
  DATA: 9,
  ORDER: 10,
  SHORT: 11,
  MOVED: 12,
  DATAGRAMS: 13,
  /** Relay to agent on the link, empty: there are datagrams for it, and nothing is heard of it by the way that they would go. */
  WAKE: 14,
  START: 16,
  ACCEPT: 17,
  REFUSE: 18,
  CHUNK: 19,
  END: 20,
  ABORT: 21,
  RESET: 22,
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
  datagrams: DatagramsOffer
}

/** What the datagram channel of a link is made from, beside the ticket and what TLS exports (RFC 8446 section 7.5). */
export interface DatagramsOffer {
  /** 16 hexadecimal digits; random for each link. */
  channel: string
  /** 32 bytes, base64url; random for each link. */
  salt: string
  /** Which table of flows the relay has: the same as before means that the flows of before go on. */
  flows: string
}

/** Relay to agent: bring so many data connections. */
export interface OrderMessage {
  /** For DATA, once each. */
  tokens: string[]
}

/** Agent to relay: no data connection will come for these tokens. */
export interface ShortMessage {
  tokens: string[]
  error: RejectError
}

/** Relay to agent on a data connection, and in the item that opens a UDP flow: a player is here. */
export interface StartMessage {
  allocationId: number
  target: { host: string; port: number }
  remoteAddress: string
  remotePort: number
}

/** Agent to relay on a data connection: this player cannot be served. */
export interface RefuseMessage {
  error: RejectError
}

/** Agent to relay, first frame: the stream for the datagrams of this channel. `proof` shows that it is the link's agent. */
export interface DatagramsMessage {
  channel: string
  proof: string
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

/** Agent to relay, first frame of a data connection. */
export interface DataMessage {
  token: string
}

const MAX_TICKET_LENGTH = 2_048
const MAX_NAME_LENGTH = 255
const MAX_TOKEN_LENGTH = 64
const MAX_PING_BYTES = 8
const CHANNEL = /^[0-9a-f]{16}$/
/** 32 bytes in base64url. */
const SALT = /^[\w-]{43}$/
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
  const { protocol, deviceId, resume, heartbeatMs, datagrams } = parseObject(payload)
  if (protocol !== PROTOCOL_VERSION || !isInteger(heartbeatMs, 1, 3_600_000)) return undefined
  if (!isText(deviceId, MAX_NAME_LENGTH) || !isText(resume, MAX_TICKET_LENGTH)) return undefined
  const offer = parseOffer(datagrams)
  return offer && { protocol, deviceId, resume, heartbeatMs, datagrams: offer }
}

function parseOffer(value: unknown): DatagramsOffer | undefined {
  const { channel, salt, flows } = asRecord(value)
  if (typeof channel !== 'string' || !CHANNEL.test(channel)) return undefined
  if (typeof salt !== 'string' || !SALT.test(salt) || !isText(flows, MAX_TOKEN_LENGTH)) return undefined
  return { channel, salt, flows }
}

export function parseRefused(payload: Buffer): RefusedMessage | undefined {
  const { error } = parseObject(payload)
  return typeof error === 'string' && REFUSED_ERRORS.includes(error) ? { error: error as RefusedError } : undefined
}

export function parseData(payload: Buffer): DataMessage | undefined {
  const { token } = parseObject(payload)
  return isText(token, MAX_TOKEN_LENGTH) ? { token } : undefined
}

export function parseOrder(payload: Buffer): OrderMessage | undefined {
  const { tokens } = parseObject(payload)
  return isTokens(tokens) ? { tokens } : undefined
}

export function parseShort(payload: Buffer): ShortMessage | undefined {
  const { tokens, error } = parseObject(payload)
  if (!isTokens(tokens) || typeof error !== 'string' || !REJECT_ERRORS.includes(error)) return undefined
  return { tokens, error: error as RejectError }
}

export function parseStart(payload: Buffer): StartMessage | undefined {
  const { allocationId, target, remoteAddress, remotePort } = parseObject(payload)
  const { host, port } = asRecord(target)
  if (!isInteger(allocationId, 0) || !isText(host, MAX_NAME_LENGTH) || !isInteger(port, 1, 65_535)) return undefined
  if (!isText(remoteAddress, MAX_NAME_LENGTH) || isIP(remoteAddress) === 0) return undefined
  if (!isInteger(remotePort, 0, 65_535)) return undefined
  return { allocationId, target: { host, port }, remoteAddress, remotePort }
}

export function parseRefuse(payload: Buffer): RefuseMessage | undefined {
  const { error } = parseObject(payload)
  return typeof error === 'string' && REJECT_ERRORS.includes(error) ? { error: error as RejectError } : undefined
}

export function parseDatagrams(payload: Buffer): DatagramsMessage | undefined {
  const { channel, proof } = parseObject(payload)
  if (typeof channel !== 'string' || !CHANNEL.test(channel)) return undefined
  return isText(proof, MAX_TOKEN_LENGTH) ? { channel, proof } : undefined
}

function isTokens(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_ORDER &&
    value.every((token) => isText(token, MAX_TOKEN_LENGTH))
  )
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
  datagrams?: unknown
  salt?: unknown
  flows?: unknown
  error?: unknown
  allocationId?: unknown
  token?: unknown
  tokens?: unknown
  channel?: unknown
  proof?: unknown
  target?: unknown
  remoteAddress?: unknown
  remotePort?: unknown
  host?: unknown
  port?: unknown
}

function asRecord(value: unknown): Record<string, unknown> & ParsedFields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
