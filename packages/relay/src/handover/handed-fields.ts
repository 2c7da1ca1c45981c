import type { AllocationTraffic, RelayEvents } from '../relay-types.js'
import { fieldsOf, isInteger, isText } from '../untrusted.js'

const MAX_NAME_LENGTH = 255

export function isName(value: unknown): value is string {
  return isText(value, MAX_NAME_LENGTH)
}

export function isList<T>(value: unknown, isOne: (one: unknown) => one is T): value is T[] {
  return Array.isArray(value) && value.every(isOne)
}

/** Totals, or what they changed by. */
export function isTraffic(value: unknown): value is AllocationTraffic {
  const { allocationId, bytesIn, bytesOut, connections, open } = fieldsOf<AllocationTraffic>(value)
  return isInteger(allocationId, 0) && [bytesIn, bytesOut, connections, open].every((count) => isInteger(count))
}

export function isConnectionEvent(value: unknown): value is RelayEvents['connection'] {
  const event = fieldsOf<RelayEvents['connection']>(value)
  const { allocationId, phase, protocol, remoteAddress, remotePort, bytesIn, bytesOut, durationMs, reason } = event
  if (phase !== 'open' && phase !== 'close' && phase !== 'refused') return false
  if ((protocol !== 'tcp' && protocol !== 'udp') || !isName(remoteAddress)) return false
  if (phase === 'open' ? reason !== undefined : !isName(reason)) return false
  return [allocationId, remotePort, bytesIn, bytesOut, durationMs].every((count) => isInteger(count, 0))
}
