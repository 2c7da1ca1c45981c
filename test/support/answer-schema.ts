import { accepts, propertiesOf } from './json-schema.js'
import type { Schema } from './openapi.js'
import type { Reply, Send } from './raw-client.js'

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>

/** What is wrong with an answer by the panel's own document; undefined: nothing. */
export type AnswerCheck = (method: string, path: string, reply: Reply) => string | undefined

/** Holds answers against the document: every field of theirs is in it, and is as it says. */
export async function answerCheck({ send }: { readonly send: Send }): Promise<AnswerCheck> {
  const { paths, components } = (await send('GET', '/api/openapi.json')).body as Document
  const schemaOf = (method: string, path: string, status: number): Schema | undefined => {
    const [plain = ''] = path.split('?')
    const found = Object.entries(paths)
      .filter(([template, item]) => item[method.toLowerCase()] && matches(template, plain))
      .sort(([a], [b]) => a.split('{').length - b.split('{').length)[0]
    const content = found?.[1][method.toLowerCase()]?.responses[String(status)]?.content
    const schema = content?.['application/json']?.schema
    return schema && (inlined(schema, components.schemas) as Schema)
  }
  return (method, path, { status, body, text }) => {
    const schema = schemaOf(method, path, status)
    if (!schema) return `${method} ${path}: the document has no ${status}`
    if (!accepts(schema, body)) return `${method} ${path}: not as documented: ${text.slice(0, 500)}`
    const more = undocumented(schema, body)
    return more === undefined ? undefined : `${method} ${path}: ${more} is not documented`
  }
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path)
}

function inlined(value: unknown, schemas: Readonly<Record<string, Schema>>): unknown {
  if (Array.isArray(value)) return value.map((item) => inlined(item, schemas))
  if (typeof value !== 'object' || value === null) return value
  const { $ref } = value as { readonly $ref?: unknown }
  if (typeof $ref === 'string') return inlined(schemas[$ref.replace('#/components/schemas/', '')], schemas)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inlined(item, schemas)]))
}

/** The first field that no schema knows. */
function undocumented(schema: Schema, value: unknown, path = ''): string | undefined {
  const branches = (schema['anyOf'] ?? []) as readonly Schema[]
  if (branches.length > 0) {
    const found = branches.map((branch) => (accepts(branch, value) ? undocumented(branch, value, path) : path))
    return found.includes(undefined) ? undefined : (found[0] ?? path)
  }
  if (Array.isArray(value)) {
    const items = (schema['items'] ?? {}) as Schema
    return value.map((item, at) => undocumented(items, item, `${path}/${at}`)).find((found) => found !== undefined)
  }
  if (typeof value !== 'object' || value === null || schema['type'] !== 'object') return undefined
  const properties = propertiesOf(schema)
  const more = schema['additionalProperties']
  for (const [key, item] of Object.entries(value)) {
    const own = properties[key] ?? (typeof more === 'object' ? (more as Schema) : undefined)
    if (!own) return `${path}/${key}`
    const found = undocumented(own, item, `${path}/${key}`)
    if (found !== undefined) return found
  }
  return undefined
}
