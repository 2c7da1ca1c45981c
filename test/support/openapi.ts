import type { Send } from './raw-client.js'

export type Schema = Readonly<Record<string, unknown>>

/** A route as the panel's own document has it. */
export interface Operation {
  /** In upper case. */
  readonly method: string
  /** With `{parameters}`. */
  readonly path: string
  readonly body: Schema | undefined
  readonly query: readonly string[]
  readonly parameters: readonly string[]
  readonly isPublic: boolean
}

interface Document {
  readonly paths: Record<string, Record<string, DocumentOperation>>
}

interface DocumentOperation {
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

/** Every route of the panel. */
export async function operations({ send }: { readonly send: Send }): Promise<readonly Operation[]> {
  const { body } = await send('GET', '/api/openapi.json')
  const { paths } = body as Document
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security = [], parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      body: requestBody?.content['application/json']?.schema,
      query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      parameters: parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
      isPublic: security.length === 0,
    })),
  )
}
