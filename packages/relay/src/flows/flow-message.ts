import { encodeMessage, parseStart, type StartMessage } from '../link/protocol.js'

/** Payload of the item that opens a flow. */
export interface FlowMessage extends StartMessage {
  /** Base64; to be put in front of the first datagram to the target. */
  header?: string
}

/** What a PROXY header of version 2 for two IPv6 addresses needs, with room to spare. */
const MAX_HEADER_BYTES = 256
const MAX_HEADER_LENGTH = 4 * Math.ceil(MAX_HEADER_BYTES / 3)
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

export function encodeFlow(message: FlowMessage): Buffer {
  return encodeMessage(message)
}

/** Undefined for what is no such message. */
export function parseFlow(payload: Buffer): FlowMessage | undefined {
  const start = parseStart(payload)
  if (start === undefined) return undefined
  const { header } = JSON.parse(payload.toString('utf8')) as { header?: unknown }
  if (header === undefined) return start
  if (typeof header !== 'string' || header.length > MAX_HEADER_LENGTH || !BASE64.test(header)) return undefined
  return { ...start, header }
}

/** Of something that is no payload. */
export function isFlowMessage(value: unknown): value is FlowMessage {
  try {
    return parseFlow(encodeFlow(value as FlowMessage)) !== undefined
  } catch {
    // JSON has no words for it.
    return false
  }
}

/** Whether both open the same player's flow to the same target. */
export function sameFlow(a: FlowMessage, b: FlowMessage): boolean {
  return (
    a.allocationId === b.allocationId &&
    a.remotePort === b.remotePort &&
    a.remoteAddress === b.remoteAddress &&
    a.target.host === b.target.host &&
    a.target.port === b.target.port &&
    a.header === b.header
  )
}
