import type { TSchema } from '@sinclair/typebox'
import type { AuthenticationStrategy } from '../identity/authenticator.js'
import { type Components, createComponents } from './openapi-components.js'
import { problemResponses, problemSchema } from './openapi-problems.js'
import type { AnyRoute } from './route-table.js'

export interface OpenApiOptions {
  readonly version: string
  /** Where the API is: public URL and base path. */
  readonly serverUrl: string
  readonly strategies: readonly AuthenticationStrategy[]
}

type Json = Record<string, unknown>

/** The OpenAPI 3.1 document of a kernel's routes. */
export function openApiDocument(routes: readonly AnyRoute[], options: OpenApiOptions): Json {
  const visible = routes.filter(({ hidden }) => hidden !== true)
  const securitySchemes = schemesOf(options.strategies)
  const paths: Record<string, Json> = {}
  const ids = new Set<string>()
  const components = createComponents()
  for (const route of visible) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}').replace(/\/\*$/, '/{wildcard}')
    const item = paths[path] ?? {}
    item[route.method.toLowerCase()] = operation(
      route,
      operationId(route, ids),
      Object.keys(securitySchemes),
      components,
    )
    paths[path] = item
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sallyport', version: options.version },
    servers: [{ url: options.serverUrl }],
    tags: [...new Set(visible.map(({ tag }) => tag))].sort().map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: problemSchema, ...components.schemas },
      responses: problemResponses,
      securitySchemes,
    },
  }
}

function operation(route: AnyRoute, id: string, schemes: readonly string[], components: Components): Json {
  const description = [route.description, accessNote(route)].filter((text) => text !== undefined).join('\n\n')
  const parameters = [...parametersOf('path', pathSchema(route)), ...parametersOf('query', route.query)]
  return {
    operationId: id,
    summary: route.summary,
    ...(description === '' ? {} : { description }),
    tags: [route.tag],
    security: securityOf(route, schemes),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body ? { requestBody: requestBody(route.body) } : {}),
    responses: responsesOf(route, components),
  }
}

function operationId({ method, url }: AnyRoute, taken: Set<string>): string {
  const words = url
    .replace(/^\/api(?=\/)/, '')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment.startsWith(':') ? `by-${segment.slice(1)}` : segment.replace('*', 'any')))
  const camel = [method.toLowerCase(), ...words]
    .join('-')
    .replaceAll(/[^a-z0-9]+(.)/gi, (_, next: string) => next.toUpperCase())
  let id = camel
  for (let count = 2; taken.has(id); count++) id = `${camel}${count}`
  taken.add(id)
  return id
}

function accessNote({ access }: AnyRoute): string | undefined {
  if (typeof access === 'string') return undefined
  const { permission } = access
  const kinds = 'kinds' in access ? `For principals of kind ${access.kinds.join(', ')}.` : undefined
  const needs = permission === undefined ? undefined : `Needs the permission \`${permission}\`.`
  return [kinds, needs].filter((text) => text !== undefined).join(' ')
}

function securityOf({ access }: AnyRoute, schemes: readonly string[]): readonly Json[] {
  if (access === 'public') return []
  const any = schemes.map((scheme) => ({ [scheme]: [] }))
  // An empty requirement makes the others optional (OpenAPI 3.1 section 4.8.10).
  return access === 'optional' ? [...any, {}] : any
}

/** Every parameter of the path must be documented, whether or not the route has a schema for it. */
function pathSchema({ url, params }: AnyRoute): TSchema | undefined {
  const names = [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  if (url.endsWith('/*')) names.push('wildcard')
  if (names.length === 0) return undefined
  const known = (params?.['properties'] ?? {}) as Record<string, TSchema>
  const properties = Object.fromEntries(names.map((name) => [name, known[name] ?? { type: 'string' }]))
  return { type: 'object', properties, required: names } as unknown as TSchema
}

function parametersOf(place: 'path' | 'query', schema: TSchema | undefined): readonly Json[] {
  if (!schema) return []
  const required = (schema['required'] ?? []) as readonly string[]
  return Object.entries((schema['properties'] ?? {}) as Record<string, TSchema>).map(
    ([name, { description, ...own }]) => ({
      name,
      in: place,
      // TypeBox has a field with a default among the required ones: it always is there once the default is put in.
      required: place === 'path' || (required.includes(name) && own['default'] === undefined),
      ...(description === undefined ? {} : { description }),
      schema: own,
    }),
  )
}

function requestBody(schema: TSchema): Json {
  const required = !Object.getOwnPropertySymbols(schema).some((symbol) => symbol.description === 'TypeBox.Optional')
  return { required, content: { 'application/json': { schema } } }
}

function responsesOf(route: AnyRoute, components: Components): Json {
  const type = route.produces ?? 'application/json'
  const described =
    route.response ?? (route.produces ? { 200: { type: 'string' } as unknown as TSchema } : { 200: undefined })
  const successes = Object.entries(described).map(([status, schema]) => [
    status,
    {
      description: Number(status) < 400 ? 'Done' : 'Not possible now',
      ...(schema === undefined || status === '204'
        ? {}
        : { content: { [type]: { schema: components.refer(schema) } } }),
    },
  ])
  const errors = errorStatuses(route).filter((status) => !(status in described))
  const refused = errors.map((status) => [status, { $ref: `#/components/responses/${status}` }])
  return {
    ...Object.fromEntries(successes),
    ...Object.fromEntries(refused),
    default: { $ref: '#/components/responses/default' },
  }
}

function errorStatuses(route: AnyRoute): readonly string[] {
  const { access } = route
  return [
    ...(route.body || route.query || route.url.includes(':') || access !== 'public' ? ['400'] : []),
    ...(access === 'public' ? [] : ['401']),
    ...(access === 'public' || access === 'optional' ? [] : ['403']),
    ...(route.url.includes(':') ? ['404'] : []),
    ...(route.body ? ['413', '415'] : []),
    ...(route.rateLimit ? ['429'] : []),
    '503',
  ]
}

function schemesOf(strategies: readonly AuthenticationStrategy[]): Record<string, object> {
  const own = strategies.flatMap((strategy) => Object.entries(strategy.securitySchemes ?? defaultSchemes(strategy)))
  return Object.fromEntries(own)
}

function defaultSchemes({ schemes }: AuthenticationStrategy): Record<string, object> {
  const entries = schemes.map((scheme) => [scheme.toLowerCase(), { type: 'http', scheme: scheme.toLowerCase() }])
  return Object.fromEntries(entries) as Record<string, object>
}
