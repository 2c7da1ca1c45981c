import { coreErrors } from '@sallyport/core'
import { type AllocationOptions, parseAllocationOptions } from '@sallyport/relay'
import { type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { normaliseRange } from './address-range.js'
import type { Protocol } from './ports.js'

/** Options to be merged into those in force: null lifts one. */
export type OptionsChange = { readonly [Field in keyof AllocationOptions]: AllocationOptions[Field] | null }

const maxRules = 128
/** An IPv6 address of 45 characters, and `/128`. */
const maxRuleLength = 49

const rules = Type.Array(Type.String({ maxLength: maxRuleLength }), {
  maxItems: maxRules,
  description: 'Addresses and CIDR ranges. An empty list restricts nothing.',
})
const fields: Readonly<Record<keyof AllocationOptions, TSchema>> = {
  proxyProtocol: Type.Union([Type.Literal('none'), Type.Literal('v1'), Type.Literal('v2')], {
    description: "Header with the player's address before the first byte. v1 is for TCP only.",
  }),
  maxConnections: Type.Integer({ minimum: 1, maximum: 65_536, description: 'Players at once (UDP: flows).' }),
  maxConnectionsPerSource: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    description: 'Players at once from one address (IPv6: from one /64).',
  }),
  connectionRate: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    description: "New players per second (UDP: flows), one second's worth at once; others are refused at once.",
  }),
  bandwidth: Type.Integer({
    minimum: 1_024,
    maximum: 1_000_000_000_000,
    description: 'Bytes per second, each way, all players together.',
  }),
  allow: rules,
  deny: rules,
  idleTimeout: Type.Integer({ minimum: 5, maximum: 86_400, description: 'Seconds without a byte either way.' }),
}
const closed = { additionalProperties: false }

/** Of a new allocation. */
export const optionsSchema: TUnsafe<AllocationOptions> = Type.Unsafe<AllocationOptions>(
  Type.Object(
    mapFields((schema) => Type.Optional(schema)),
    closed,
  ),
)

/** As an allocation shows them. */
export const shownOptionsSchema: TUnsafe<AllocationOptions> = { ...optionsSchema, $id: 'AllocationOptions' }

/** Of a change: null lifts one, or all. */
export const optionsChangeSchema: TUnsafe<OptionsChange | null> = Type.Unsafe<OptionsChange | null>(
  Type.Union([
    Type.Object(
      mapFields((schema) => Type.Optional(Type.Union([schema, Type.Null()]))),
      closed,
    ),
    Type.Null(),
  ]),
)

/**
 * Checks what the schema cannot, and gives addresses in one spelling, each once.
 * @throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field
 */
export function checkOptions(given: AllocationOptions, protocols: readonly Protocol[]): AllocationOptions {
  const protocol = protocols.length > 1 ? 'both' : (protocols[0] ?? 'both')
  const result = parseAllocationOptions(given, protocol)
  if (!result.ok) {
    const path = `/options/${result.field.replace('[', '/').replace(']', '')}`
    const reason = `${path.slice(1)}: ${result.detail}`
    throw coreErrors.VALIDATION_FAILED({ reason }, { errors: [{ path, message: result.detail }] })
  }
  const { allow, deny } = result.options
  return {
    ...result.options,
    ...(allow && { allow: normaliseRules(allow) }),
    ...(deny && { deny: normaliseRules(deny) }),
  }
}

/**
 * The same of a change. Merged by the database, so of two changes at the same time neither is lost.
 * @throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field
 */
export function checkOptionsChange(change: OptionsChange, protocol: Protocol): OptionsChange {
  const lifted = Object.fromEntries(Object.entries(change).filter(([, value]) => value === null))
  const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null))
  return { ...lifted, ...checkOptions(set, [protocol]) }
}

function normaliseRules(rules: readonly string[]): string[] {
  return [...new Set(rules.map(normaliseRange))]
}

function mapFields(make: (schema: TSchema) => TSchema): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, make(schema)]))
}
