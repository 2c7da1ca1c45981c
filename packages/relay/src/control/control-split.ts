import { RelayError } from '../errors.js'
import type { RelayAllocation, RelayChange } from '../relay-types.js'
import { CONTROL_LIMITS } from './control.js'
import type { RelayChangeMessage, RelayStateMessage } from './control-relay-messages.js'

/** Well under the panel's message limit, so that a slow line shows progress between heartbeats. */
const MAX_PART_BYTES = 512 * 1024
/** What surrounds the items of a message. */
const ENVELOPE_BYTES = 256

/**
 * The messages that bring a relay's whole desired state: at least one, each of at most 512 KiB.
 * Throws RELAY_ERR_INVALID_STATE for more than a relay takes (CONTROL_LIMITS.relayAllocations).
 */
export function splitRelayState(revision: number, allocations: readonly RelayAllocation[]): RelayStateMessage[] {
  bounded(allocations.length)
  const chunks = chunk(allocations)
  const parts = numbered(chunks.length)
  return chunks.map((items, part) => ({ type: 'relay_state', revision, part, parts, allocations: items }))
}

/**
 * The messages that bring a change, likewise.
 * @param base the revision sent before on this connection
 */
export function splitRelayChange(base: number, { revision, upsert, remove }: RelayChange): RelayChangeMessage[] {
  bounded(upsert.length)
  bounded(remove.length)
  const removed = chunk(remove)
  const upserted = chunk(upsert)
  const together = removed.length === 1 && upserted.length === 1 && fitsTogether(upserted[0] ?? [], removed[0] ?? [])
  const contents = together
    ? [{ upsert: [...upsert], remove: [...remove] }]
    : [
        ...removed.map((ids) => ({ upsert: [], remove: ids })),
        ...upserted.map((items) => ({ upsert: items, remove: [] })),
      ]
  const parts = numbered(contents.length)
  return contents.map((content, part) => ({ type: 'relay_change', base, revision, part, parts, ...content }))
}

/** Runs of items within the bounds of bytes and counts; one empty run of none. Every item fits by itself: its fields are bounded. */
export function chunk<T>(
  items: readonly T[],
  maxItems: number = CONTROL_LIMITS.relayPartAllocations,
  maxBytes: number = MAX_PART_BYTES,
): T[][] {
  let current: T[] = []
  let bytes = ENVELOPE_BYTES
  const chunks = [current]
  for (const item of items) {
    const size = sizeOf(item)
    if (current.length > 0 && (current.length >= maxItems || bytes + size > maxBytes)) {
      current = []
      bytes = ENVELOPE_BYTES
      chunks.push(current)
    }
    current.push(item)
    bytes += size
  }
  return chunks
}

function fitsTogether(upsert: readonly RelayAllocation[], remove: readonly number[]): boolean {
  const bytes = [...upsert, ...remove].reduce((sum: number, item) => sum + sizeOf(item), ENVELOPE_BYTES)
  return bytes <= MAX_PART_BYTES
}

/** With the comma behind it. */
function sizeOf(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item)) + 1
}

function bounded(allocations: number): void {
  if (allocations <= CONTROL_LIMITS.relayAllocations) return
  throw new RelayError('RELAY_ERR_INVALID_STATE', `more than ${CONTROL_LIMITS.relayAllocations} allocations`)
}

function numbered(parts: number): number {
  if (parts <= CONTROL_LIMITS.relayParts) return parts
  throw new RelayError('RELAY_ERR_INVALID_STATE', `more than ${CONTROL_LIMITS.relayParts} messages`)
}
