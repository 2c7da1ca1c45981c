import { coreErrors } from '../errors.js'

/** An event on its way between instances. */
export interface EventMessage {
  /** Which instance emitted it. */
  readonly from: string
  readonly name: string
  readonly payload: unknown
}

/** Longest message, in bytes of UTF-8. */
const maxMessageBytes = 64 * 1024

/** Throws `CORE_ERR_ARGUMENT_INVALID` for what is no JSON or too large. */
export function encodeEventMessage({ from, name, payload }: EventMessage): string {
  const text = JSON.stringify({ from, name, payload })
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxMessageBytes) return text
  const reason = `it takes ${bytes} bytes, of ${maxMessageBytes} at most`
  throw coreErrors.ARGUMENT_INVALID({ argument: `Payload of event ${name}`, reason })
}

/** Gives the message, or `undefined` for anything that is none. */
export function decodeEventMessage(text: string): EventMessage | undefined {
  if (text.length > maxMessageBytes) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { from, name, payload } = value as Record<string, unknown>
  return typeof from === 'string' && typeof name === 'string' ? { from, name, payload } : undefined
}
