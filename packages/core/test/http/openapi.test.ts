import { Validator } from '@seriousme/openapi-schema-validator'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { Authenticator, definePlugin, type Http, http } from '../../dist/index.js'
import { start } from './support.js'

interface Operation {
  readonly operationId: string
  readonly security: readonly Record<string, unknown>[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: { readonly required: boolean }
  readonly responses: Readonly<Record<string, unknown>>
}

interface Document {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly securitySchemes: Readonly<Record<string, unknown>> }
}

function add(service: Http): void {
  const shared = { summary: 'Something', tag: 'Things' } as const
  service.route({
    ...shared,
    method: 'POST',
    url: '/api/things',
    access: { permission: 'things:write' },
    body: Type.Object({ name: Type.String(), kind: Type.Optional(Type.Union([Type.Literal('a'), Type.Literal('b')])) }),
    response: { 201: Type.Object({ id: Type.String({ format: 'uuid' }) }) },
    rateLimit: { name: 'x', points: 1, windowSeconds: 1 },
    handler: () => ({}),
  })
  service.route({
    ...shared,
    method: 'GET',
    url: '/api/things/:id',
    access: 'optional',
    params: Type.Object({ id: Type.Integer() }),
    query: Type.Object({ all: Type.Optional(Type.Boolean({ description: 'All of <them>' })) }),
    handler: () => ({}),
  })
  service.route({ ...shared, method: 'DELETE', url: '/api/things/:id', access: 'authenticated', handler: () => ({}) })
  service.route({ ...shared, method: 'GET', url: '/api/things/by-id', access: 'public', handler: () => ({}) })
  service.route({ ...shared, method: 'GET', url: '/files/*', access: 'public', handler: () => ({}) })
  service.route({ ...shared, method: 'GET', url: '/hidden', access: 'public', hidden: true, handler: () => ({}) })
}

const strategies = definePlugin({
  name: 'test-strategies',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services }) {
    const authenticate = () => ({ kind: 'absent' }) as const
    services.authenticator.use({ name: 'session', schemes: ['Bearer'], authenticate })
    const key = { type: 'apiKey', in: 'header', name: 'X-Api-Key' }
    services.authenticator.use({ name: 'key', schemes: ['ApiKey'], securitySchemes: { apiKey: key }, authenticate })
  },
})

t.test('describes every route as OpenAPI 3.1', async (t) => {
  await using panel = await start(add, { plugins: [strategies(), http({ publicUrl: 'https://panel.example/' })] })
  const response = await panel.fetch('/api/openapi.json')
  t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  const document = (await response.json()) as Document
  const validator = new Validator()
  const { valid, errors } = await validator.validate(JSON.stringify(document, undefined, 2))
  t.ok(valid, JSON.stringify(errors))
  t.match(document.openapi, /^3\.1/)
  t.same(document.servers, [{ url: 'https://panel.example' }])
  t.same(Object.keys(document.paths).sort(), [
    '/api/docs',
    '/api/health/live',
    '/api/health/ready',
    '/api/openapi.json',
    '/api/things',
    '/api/things/by-id',
    '/api/things/{id}',
    '/files/{wildcard}',
    '/metrics',
  ])
  const create = document.paths['/api/things']?.['post']
  t.same(create?.security, [{ bearer: [] }, { apiKey: [] }])
  t.same(Object.keys(create?.responses ?? {}), ['201', '400', '401', '403', '413', '415', '429', '503', 'default'])
  t.equal(create?.requestBody?.required, true)
  const get = document.paths['/api/things/{id}']?.['get']
  t.same(get?.security, [{ bearer: [] }, { apiKey: [] }, {}])
  t.same(
    get?.parameters?.map(({ name, in: place, required }) => [name, place, required]),
    [
      ['id', 'path', true],
      ['all', 'query', false],
    ],
  )
  t.same(document.paths['/api/things/{id}']?.['delete']?.parameters?.length, 1)
  const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
  t.ok(
    ids.every((id) => /^[a-z]\w*$/.test(id)),
    ids.join(),
  )
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item))
      t.ok(operation.responses['default'], `${operation.operationId} documents errors`)
  }
})

t.test('schemas that have a name are components; what has a default need not be given', async (t) => {
  const Thing = Type.Object({
    id: Type.String(),
    parent: Type.Union([Type.Object({}, { $id: 'Parent' }), Type.Null()]),
  })
  const shared = { access: 'public', summary: 's', tag: 't', handler: () => ({}) } as const
  const named = (service: Http): void => {
    const thing = { ...Thing, $id: 'Thing' }
    const query = Type.Object({ limit: Type.Integer({ default: 5 }), after: Type.String() })
    const response = { 200: Type.Object({ things: Type.Array(thing) }) }
    service.route({ ...shared, method: 'GET', url: '/api/named', query, response })
    service.route({ ...shared, method: 'GET', url: '/api/other', response: { 200: thing } })
  }
  await using panel = await start(named)
  const document = (await (await panel.fetch('/api/openapi.json')).json()) as Document & {
    readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
  }
  const { Thing: thing, Parent: parent } = document.components.schemas
  t.match(thing, { properties: { parent: { anyOf: [{ $ref: '#/components/schemas/Parent' }, { type: 'null' }] } } })
  t.match(parent, { type: 'object' })
  const ref = { $ref: '#/components/schemas/Thing' }
  const schema = (path: string) => (document.paths[path]?.['get']?.responses['200'] as never as Answer).content
  t.same(schema('/api/other')['application/json']?.schema, ref)
  t.match(schema('/api/named')['application/json']?.schema, { properties: { things: { items: ref } } })
  t.notMatch(JSON.stringify(document), '$id')
  const parameters = document.paths['/api/named']?.['get']?.parameters ?? []
  t.same(
    parameters.map(({ name, required }) => [name, required]),
    [
      ['limit', false],
      ['after', true],
    ],
  )
})

interface Answer {
  readonly content: Readonly<Record<string, { readonly schema: unknown }>>
}

t.test('shows it to people without scripts or anything from elsewhere', async (t) => {
  await using panel = await start(add, { plugins: [strategies()] })
  const response = await panel.fetch('/api/docs')
  const page = await response.text()
  t.match(response.headers.get('content-type') ?? '', /^text\/html/)
  const policy = response.headers.get('content-security-policy') ?? ''
  t.match(policy, "default-src 'none'")
  t.notMatch(policy, 'unsafe')
  t.notMatch(page, /<script|src=|https?:\/\/|\son\w+=/i)
  t.match(page, '/api/things/:id')
  t.match(page, 'All of &lt;them&gt;')
  t.notMatch(page, '/hidden')
  const { createHash } = await import('node:crypto')
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? ''
  t.match(policy, createHash('sha256').update(style).digest('base64'))
})

t.test('says neither when the host does not want it', async (t) => {
  await using panel = await start(add, { plugins: [http({ docs: false })] })
  t.equal((await panel.fetch('/api/openapi.json')).status, 404)
  t.equal((await panel.fetch('/api/docs')).status, 404)
})
