import type { Schema } from './openapi.js'

/** What the tests need of JSON Schema: a value that is valid, and whether another is. */

type Properties = Readonly<Record<string, Schema>>

/** Valid by pattern or meaning, for fields whose schema does not say enough. */
const known: Readonly<Record<string, unknown>> = {
  email: 'somebody@example.com',
  password: 'long enough a password',
  currentPassword: 'long enough a password',
  newPassword: 'another long enough one',
  token: '123456',
  emailCode: '123456',
  backupCode: '0000-0000-0000-0000',
  tempToken: 'A'.repeat(43),
  expiresAt: '2099-01-01T00:00:00.000Z',
  allowedIps: ['192.0.2.1'],
  permissions: ['servers:read'],
  transports: ['internal'],
}

/** Of a record, with one field that fits. */
export function propertiesOf(schema: Schema): Properties {
  const [pattern] = Object.values(patternsOf(schema))
  const record = pattern ? { allocationsPerUser: pattern } : {}
  return { ...record, ...((schema['properties'] ?? {}) as Properties) }
}

function patternsOf(schema: Schema): Properties {
  return (schema['patternProperties'] ?? {}) as Properties
}

export function requiredOf(schema: Schema): readonly string[] {
  return (schema['required'] ?? []) as readonly string[]
}

function branchesOf(schema: Schema): readonly Schema[] | undefined {
  return (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined
}

/** The branch of a union that says most. */
export function mainBranch(schema: Schema): Schema {
  return branchesOf(schema)?.find(({ type }) => type !== 'null') ?? schema
}

/** A valid value; of an object only what is required. */
export function sample(schema: Schema, name = ''): unknown {
  const own = mainBranch(schema)
  if (name in known && accepts(own, known[name])) return known[name]
  if ('const' in own) return own['const']
  if (Array.isArray(own['enum'])) return own['enum'][0]
  switch (own['type']) {
    case 'object':
      return Object.fromEntries(requiredOf(own).map((key) => [key, sample(propertiesOf(own)[key] ?? {}, key)]))
    case 'array':
      return Array.from({ length: Number(own['minItems'] ?? 0) }, () => sample((own['items'] ?? {}) as Schema))
    case 'boolean':
      return true
    case 'integer':
    case 'number':
      return own['minimum'] ?? 1
    case 'string':
      return 'a'.repeat(Math.max(1, Number(own['minLength'] ?? 1)))
    default:
      return 'a'
  }
}

export function accepts(schema: Schema, value: unknown): boolean {
  const branches = branchesOf(schema)
  if (branches) return branches.some((branch) => accepts(branch, value))
  if ('const' in schema) return schema['const'] === value
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(value)
  switch (schema['type']) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'number':
      return (
        typeof value === 'number' && inRange(schema, value) && (schema['type'] === 'number' || Number.isInteger(value))
      )
    case 'string':
      return typeof value === 'string' && acceptsText(schema, value)
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= Number(schema['minItems'] ?? 0) &&
        value.every((item) => accepts((schema['items'] ?? {}) as Schema, item))
      )
    case 'object':
      return isObject(value) && acceptsObject(schema, value)
    default:
      return true
  }
}

function inRange(schema: Schema, value: number): boolean {
  return value >= Number(schema['minimum'] ?? -Infinity) && value <= Number(schema['maximum'] ?? Infinity)
}

function acceptsText({ minLength = 0, maxLength = Infinity, pattern, format }: Schema, value: string): boolean {
  const { length } = [...value]
  if (length < Number(minLength) || length > Number(maxLength)) return false
  if (format === 'date-time' && Number.isNaN(Date.parse(value))) return false
  return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(value)
}

function acceptsObject(schema: Schema, value: Record<string, unknown>): boolean {
  const properties = propertiesOf(schema)
  if (requiredOf(schema).some((key) => !(key in value))) return false
  return Object.entries(value).every(([key, item]) => {
    const matching = Object.entries(patternsOf(schema)).find(([pattern]) => new RegExp(pattern, 'u').test(key))
    const property = properties[key] ?? matching?.[1]
    if (property) return accepts(property, item)
    const more = schema['additionalProperties'] ?? true
    return typeof more === 'boolean' ? more : accepts(more as Schema, item)
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
