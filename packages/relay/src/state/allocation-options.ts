import { isAddressRule } from '../players/address-rules.js'
import type { AllocationOptions } from '../relay-types.js'

/** Entries of `allow` and of `deny`. */
export const MAX_ADDRESS_RULES: number = 256

const MAX_CONNECTIONS = 1_000_000
const MAX_CONNECTION_RATE = 1_000_000
const MAX_BANDWIDTH = 1e12
const MAX_IDLE_SECONDS = 30 * 86_400

/** Longest text of a rule: an IPv6 address with a dotted tail and its prefix. */
const MAX_RULE_LENGTH = 49

/** `field` is the path of what is not as it must be, such as `deny[3]`; empty: `value` is no object. */
export type AllocationOptionsResult =
  | { ok: true; options: AllocationOptions }
  | { ok: false; field: string; detail: string }

/**
 * Checks options from outside, field by field, and gives a copy with no more than the known fields. `undefined` stands for none;
 * so does a field that is undefined.
 * @param protocol `v1` of the PROXY protocol knows no UDP (HAProxy's specification, section 2.1): it is refused unless 'tcp'.
 */
export function parseAllocationOptions(value: unknown, protocol: 'tcp' | 'udp' | 'both'): AllocationOptionsResult {
  if (value === undefined) return { ok: true, options: {} }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('', 'not an object')
  const given = value as { [K in keyof AllocationOptions]?: unknown }
  const options: AllocationOptions = {}

  const { proxyProtocol } = given
  if (proxyProtocol !== undefined) {
    if (proxyProtocol !== 'none' && proxyProtocol !== 'v1' && proxyProtocol !== 'v2')
      return bad('proxyProtocol', 'none, v1 or v2')
    if (proxyProtocol === 'v1' && protocol !== 'tcp') return bad('proxyProtocol', 'v1 is for TCP only')
    options.proxyProtocol = proxyProtocol
  }
  for (const [field, max] of WHOLE_NUMBERS) {
    const number = given[field]
    if (number === undefined) continue
    if (!Number.isSafeInteger(number) || (number as number) < 1 || (number as number) > max)
      return bad(field, `not a whole number from 1 to ${max}`)
    options[field] = number as number
  }
  for (const field of ['allow', 'deny'] as const) {
    const rules = given[field]
    if (rules === undefined) continue
    if (!Array.isArray(rules) || rules.length > MAX_ADDRESS_RULES)
      return bad(field, `not a list of at most ${MAX_ADDRESS_RULES}`)
    const wrong = rules.findIndex((rule) => !isRule(rule))
    if (wrong !== -1) return bad(`${field}[${wrong}]`, 'not an address or CIDR range')
    options[field] = [...(rules as string[])]
  }
  return { ok: true, options }
}

/** Whether both say the same. */
export function sameOptions(a: AllocationOptions | undefined, b: AllocationOptions | undefined): boolean {
  if (a === b) return true
  const { allow: allowA, deny: denyA, ...restA } = a ?? {}
  const { allow: allowB, deny: denyB, ...restB } = b ?? {}
  if ((restA.proxyProtocol ?? 'none') !== (restB.proxyProtocol ?? 'none')) return false
  if (WHOLE_NUMBERS.some(([field]) => restA[field] !== restB[field])) return false
  return sameList(allowA, allowB) && sameList(denyA, denyB)
}

type WholeNumber = 'maxConnections' | 'maxConnectionsPerSource' | 'connectionRate' | 'bandwidth' | 'idleTimeout'

const WHOLE_NUMBERS: readonly (readonly [field: WholeNumber, max: number])[] = [
  ['maxConnections', MAX_CONNECTIONS],
  ['maxConnectionsPerSource', MAX_CONNECTIONS],
  ['connectionRate', MAX_CONNECTION_RATE],
  ['bandwidth', MAX_BANDWIDTH],
  ['idleTimeout', MAX_IDLE_SECONDS],
]

function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index])
}

function isRule(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_RULE_LENGTH && isAddressRule(value)
}

function bad(field: string, detail: string): AllocationOptionsResult {
  return { ok: false, field, detail }
}
