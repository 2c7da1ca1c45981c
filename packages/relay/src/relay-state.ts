import type { RelayAllocation, RelayState } from './relay-types.js'

const MAX_ALLOCATIONS = 131_072
const MAX_TEXT_LENGTH = 255

export type RelayStateResult = { ok: true; state: RelayState } | { ok: false; detail: string }

/** Checks a desired state from outside, field by field, and gives a copy with no more than the known fields. */
export function parseRelayState(value: unknown): RelayStateResult {
  const { revision, allocations } = fieldsOf<RelayState>(value)
  if (!isInteger(revision, 0)) return bad('revision')
  if (!Array.isArray(allocations) || allocations.length > MAX_ALLOCATIONS) return bad('allocations')
  const parsed: RelayAllocation[] = []
  const ids = new Set<number>()
  for (const [index, item] of allocations.entries()) {
    const result = parseAllocation(item)
    if (typeof result === 'string') return bad(`allocations[${index}].${result}`)
    if (ids.has(result.id)) return bad(`allocations[${index}].id: ${result.id} is there twice`)
    ids.add(result.id)
    parsed.push(result)
  }
  return { ok: true, state: { revision, allocations: parsed } }
}

/** The allocation, or the name of its bad field. */
function parseAllocation(value: unknown): RelayAllocation | string {
  const { id, deviceId, protocol, port, target, paused } = fieldsOf<RelayAllocation>(value)
  const { host, port: targetPort } = fieldsOf<RelayAllocation['target']>(target)
  if (!isInteger(id, 0)) return 'id'
  if (!isText(deviceId)) return 'deviceId'
  if (protocol !== 'tcp' && protocol !== 'udp') return 'protocol'
  if (!isInteger(port, 0, 65_535)) return 'port'
  if (!isText(host)) return 'target.host'
  if (!isInteger(targetPort, 1, 65_535)) return 'target.port'
  if (paused !== undefined && typeof paused !== 'boolean') return 'paused'
  return { id, deviceId, protocol, port, target: { host, port: targetPort }, paused: paused === true }
}

function bad(detail: string): RelayStateResult {
  return { ok: false, detail }
}

function fieldsOf<T>(value: unknown): { [K in keyof T]?: unknown } {
  return typeof value === 'object' && value !== null ? value : {}
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT_LENGTH && !value.includes('\0')
}

function isInteger(value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}
