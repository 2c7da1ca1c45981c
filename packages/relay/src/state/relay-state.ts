import type { RelayAllocation, RelayChange, RelayState } from '../relay-types.js'
import { fieldsOf, isInteger, isText } from '../untrusted.js'
import { parseAllocationOptions } from './allocation-options.js'

/** Allocations of one relay. */
export const MAX_ALLOCATIONS: number = 131_072

const MAX_TEXT_LENGTH = 255

export type RelayStateResult = { ok: true; state: RelayState } | { ok: false; detail: string }
export type RelayChangeResult = { ok: true; change: RelayChange } | { ok: false; detail: string }
/** `field` is the path of the first field that is not as it must be. */
export type RelayAllocationResult = { ok: true; allocation: RelayAllocation } | { ok: false; field: string }

/** Checks a desired state from outside, field by field, and gives a copy with no more than the known fields. */
export function parseRelayState(value: unknown): RelayStateResult {
  const { revision, allocations } = fieldsOf<RelayState>(value)
  if (!isInteger(revision, 0)) return bad('revision')
  const parsed = parseAllocations('allocations', allocations)
  return parsed.ok ? { ok: true, state: { revision, allocations: parsed.allocations } } : parsed
}

/** The same for a change. */
export function parseRelayChange(value: unknown): RelayChangeResult {
  const { revision, upsert, remove } = fieldsOf<RelayChange>(value)
  if (!isInteger(revision, 0)) return bad('revision')
  const parsed = parseAllocations('upsert', upsert)
  if (!parsed.ok) return parsed
  if (!Array.isArray(remove) || remove.length > MAX_ALLOCATIONS) return bad('remove')
  const wrong = remove.findIndex((id) => !isInteger(id, 0))
  if (wrong !== -1) return bad(`remove[${wrong}]`)
  return { ok: true, change: { revision, upsert: parsed.allocations, remove: [...(remove as number[])] } }
}

/** The same for one allocation. */
export function parseRelayAllocation(value: unknown): RelayAllocationResult {
  const { id, deviceId, protocol, port, target, paused, options, grant } = fieldsOf<RelayAllocation>(value)
  const { host, port: targetPort } = fieldsOf<RelayAllocation['target']>(target)
  if (!isInteger(id, 0)) return wrongField('id')
  if (!isText(deviceId, MAX_TEXT_LENGTH)) return wrongField('deviceId')
  if (protocol !== 'tcp' && protocol !== 'udp') return wrongField('protocol')
  if (!isInteger(port, 0, 65_535)) return wrongField('port')
  if (!isText(host, MAX_TEXT_LENGTH)) return wrongField('target.host')
  if (!isInteger(targetPort, 1, 65_535)) return wrongField('target.port')
  if (paused !== undefined && typeof paused !== 'boolean') return wrongField('paused')
  if (grant !== undefined && !isText(grant, MAX_TEXT_LENGTH)) return wrongField('grant')
  const allocation: RelayAllocation = { id, deviceId, protocol, port, target: { host, port: targetPort } }
  allocation.paused = paused === true
  const parsed = parseAllocationOptions(options, protocol)
  if (!parsed.ok) return wrongField(parsed.field === '' ? 'options' : `options.${parsed.field}`)
  if (Object.keys(parsed.options).length > 0) allocation.options = parsed.options
  if (grant !== undefined) allocation.grant = grant
  return { ok: true, allocation }
}

function parseAllocations(
  name: string,
  value: unknown,
): { ok: true; allocations: RelayAllocation[] } | { ok: false; detail: string } {
  if (!Array.isArray(value) || value.length > MAX_ALLOCATIONS) return bad(name)
  const allocations: RelayAllocation[] = []
  const ids = new Set<number>()
  for (const [index, item] of value.entries()) {
    const result = parseRelayAllocation(item)
    if (!result.ok) return bad(`${name}[${index}].${result.field}`)
    const { id } = result.allocation
    if (ids.has(id)) return bad(`${name}[${index}].id: ${id} is there twice`)
    ids.add(id)
    allocations.push(result.allocation)
  }
  return { ok: true, allocations }
}

function bad(detail: string): { ok: false; detail: string } {
  return { ok: false, detail }
}

function wrongField(field: string): RelayAllocationResult {
  return { ok: false, field }
}
