import type { TSchema } from '@sinclair/typebox'

const numberPattern = /^-?(0|[1-9]\d*)(\.\d+)?$/

/**
 * Reads the numbers and booleans of a query or of path parameters from their text, as the schema says. What cannot be
 * read stays text, for validation to refuse; the given object is not changed.
 */
export function readText(schema: TSchema, values: unknown): unknown {
  const properties = (schema['properties'] ?? {}) as Record<string, TSchema>
  const entries = Object.entries((values ?? {}) as Record<string, unknown>)
  return Object.fromEntries(entries.map(([key, value]) => [key, readValue(properties[key], value)]))
}

function readValue(schema: TSchema | undefined, value: unknown): unknown {
  if (schema === undefined) return value
  if (schema['type'] === 'array') {
    const items = Array.isArray(value) ? value : [value]
    return items.map((item) => readValue(schema['items'] as TSchema | undefined, item))
  }
  if (typeof value !== 'string') return value
  const types = [schema, ...((schema['anyOf'] ?? []) as TSchema[])].map((branch) => branch['type'])
  if (types.some((type) => type === 'number' || type === 'integer') && numberPattern.test(value)) return Number(value)
  if (types.includes('boolean') && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
