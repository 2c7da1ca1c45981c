import type { TSchema } from '@sinclair/typebox'

/** Schemas of answers that have a name, gathered while a document is made. */
export interface Components {
  /** The schema with every one in it that has an `$id` replaced by a reference, itself too. */
  refer(schema: TSchema): unknown
  readonly schemas: Readonly<Record<string, unknown>>
}

/** @throws TypeError when two schemas go by one name */
export function createComponents(): Components {
  const schemas: Record<string, unknown> = {}
  const texts = new Map<string, string>()

  const within = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(within)
    if (typeof value !== 'object' || value === null) return value
    const { $id, ...fields } = value as { readonly $id?: unknown }
    const copy = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, within(field)]))
    return typeof $id === 'string' ? define($id, copy) : copy
  }
  const define = (name: string, schema: object): object => {
    const text = JSON.stringify(schema)
    if ((texts.get(name) ?? text) !== text) throw new TypeError(`Two schemas have the $id ${name}`)
    texts.set(name, text)
    schemas[name] = schema
    return { $ref: `#/components/schemas/${name}` }
  }
  return { refer: within, schemas }
}
