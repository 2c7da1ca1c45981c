import { inspect } from 'node:util'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import { definePlugin, Secret, secret } from '../../dist/index.js'
import { createConfigReader } from '../../dist/kernel/config.js'

const schema = Type.Object(
  {
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 3000 }),
    key: Type.Optional(secret({ minLength: 4 })),
    keys: Type.Optional(Type.Array(secret())),
    nested: Type.Object(
      { on: Type.Boolean({ default: true }), names: Type.Array(Type.String(), { default: [] }) },
      { default: {} },
    ),
    hook: Type.Optional(Type.Unsafe<() => number>({})),
  },
  { additionalProperties: false },
)

const resolveConfig = <Schema extends TSchema>(owner: string, given: Schema, input: unknown): Static<Schema> =>
  createConfigReader(owner, given)(input)

t.test('fills in defaults, nested ones too', async (t) => {
  t.same(resolveConfig('p', schema, undefined), { port: 3000, nested: { on: true, names: [] } })
})

t.test('is a frozen clone: the host’s object is neither kept nor changed', async (t) => {
  const input = { nested: { names: ['a'] } }
  const config = resolveConfig('p', schema, input) as Static<typeof schema>
  input.nested.names.push('b')
  t.same(config.nested.names, ['a'])
  t.same(input, { nested: { names: ['a', 'b'] } })
  t.throws(() => Object.assign(config.nested, { on: false }), TypeError)
  t.throws(() => config.nested.names.push('c'), TypeError)
})

t.test('what belongs to the host is passed on as it is', async (t) => {
  const hook = () => 1
  t.equal((resolveConfig('p', schema, { hook }) as Static<typeof schema>).hook, hook)
})

t.test('an undefined field counts as left out', async (t) => {
  t.match(resolveConfig('p', schema, { port: undefined }), { port: 3000 })
})

t.test('names every wrong field and the plugin; coerces nothing', async (t) => {
  const wrong = { port: '3000', nested: { on: 'true' }, what: 1 }
  t.throws(() => resolveConfig('some-plugin', schema, wrong), {
    code: 'CORE_ERR_CONFIG_INVALID',
    message: /some-plugin.*(?=.*port must be integer)(?=.*nested\.on must be boolean)(?=.*\(what\))/,
  })
})

t.test('a secret becomes a Secret that never prints, also in arrays', async (t) => {
  const config = resolveConfig('p', schema, { key: 'hunter22', keys: ['one-key', new Secret('two-key')] }) as Static<
    typeof schema
  >
  t.equal(config.key?.reveal(), 'hunter22')
  t.same(
    config.keys?.map((key) => key.reveal()),
    ['one-key', 'two-key'],
  )
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9 }), String(config.key), `${config.key}`]) {
    t.notMatch(text, /hunter22|one-key|two-key/)
    t.match(text, /\[secret\]/)
  }
})

t.test('a refused secret is not in the error', async (t) => {
  t.throws(() => resolveConfig('p', schema, { key: 'abc' }), { message: /^(?!.*abc).*key must NOT have fewer/ })
})

t.test('hostile input neither pollutes prototypes nor throws anything uncatalogued', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.object(), fc.jsonValue()), (input) => {
      try {
        resolveConfig('p', schema, input)
      } catch (error) {
        if ((error as { code?: string }).code !== 'CORE_ERR_CONFIG_INVALID') throw error
      }
    }),
    { numRuns: 300 },
  )
  resolveConfig('p', Type.Object({}), JSON.parse('{"__proto__": {"polluted": true}}'))
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})

t.test('a plugin factory validates when it is called, before any kernel', async (t) => {
  const plugin = definePlugin({ name: 'p', version: '1.0.0', config: schema, setup: () => undefined })
  t.throws(() => plugin({ port: -1 }), { code: 'CORE_ERR_CONFIG_INVALID' })
  t.match(plugin({ port: 1 }).config, { port: 1 })
})

t.test('reads again and again with one schema, each time anew', async (t) => {
  const read = createConfigReader('p', schema)
  t.throws(() => read({ port: -1 }), { code: 'CORE_ERR_CONFIG_INVALID' })
  const [first, second] = [read({ nested: { on: false } }), read(undefined)] as Static<typeof schema>[]
  t.same(first?.nested, { on: false, names: [] })
  t.same(second?.nested, { on: true, names: [] })
  t.not(first?.nested.names, second?.nested.names, 'defaults are not shared')
})
