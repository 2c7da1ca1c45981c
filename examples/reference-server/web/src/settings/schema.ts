import { api, unwrap } from '../api.js'

/** What the panel's own description of its API says of a field, as far as it is used here. */
export interface FieldSchema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly { readonly const?: unknown }[]
}
export type SectionSchema = Readonly<Record<string, FieldSchema>>

interface Description {
  readonly components?: {
    readonly schemas?: {
      readonly Settings?: { readonly properties?: Readonly<Record<string, { properties?: SectionSchema }>> }
    }
  }
}

/** By section and field. */
export async function sectionSchemas(): Promise<Readonly<Record<string, SectionSchema>>> {
  const description = (await unwrap<unknown>(api.GET('/api/openapi.json'))) as Description
  const sections = Object.entries(description.components?.schemas?.Settings?.properties ?? {})
  return Object.fromEntries(sections.map(([name, { properties = {} }]) => [name, properties]))
}

/** The values that a field may have, if they are few and known. */
export function choicesOf(schema: FieldSchema | undefined): readonly string[] | undefined {
  const values = schema?.enum ?? schema?.anyOf?.map((one) => one.const)
  return values?.every((value) => typeof value === 'string') ? values : undefined
}
