import fc from 'fast-check'
import t from 'tap'
import { definePlugin, defineService, type Plugin, type ServiceToken } from '../../dist/index.js'
import { orderPlugins } from '../../dist/kernel/registry.js'

interface Shape {
  version?: string
  sallyport?: string
  requires?: ServiceToken<unknown>[]
  optional?: ServiceToken<unknown>[]
  provides?: ServiceToken<unknown>[]
}

const record = (tokens: ServiceToken<unknown>[] = []) => Object.fromEntries(tokens.map((token) => [token.id, token]))

function plugin(name: string, { version = '1.0.0', sallyport = '*', ...shape }: Shape = {}): Plugin {
  const [requires, optional, provides] = [record(shape.requires), record(shape.optional), record(shape.provides)]
  return definePlugin({ name, version, sallyport, requires, optional, provides, setup: () => ({}) as never })()
}

const a = defineService<string>('a')
const b = defineService<string>('b')
const c = defineService<string>('c')
const order = (plugins: Plugin[], more: object = {}) =>
  orderPlugins({ plugins, version: '0.1.0', ...more }).map(({ name }) => name)

t.test('a provider comes before whoever requires it, else names decide', async (t) => {
  const plugins = [plugin('z'), plugin('x', { requires: [a] }), plugin('y', { provides: [a] }), plugin('b')]
  t.same(order(plugins), ['b', 'y', 'x', 'z'])
})

t.test('an optional service orders too, and may be missing', async (t) => {
  t.same(order([plugin('a', { optional: [b, c] }), plugin('z', { provides: [b] })]), ['z', 'a'])
})

t.test('the order in which plugins are listed makes no difference', async (t) => {
  const plugins = [
    plugin('one', { provides: [a] }),
    plugin('two', { requires: [a], provides: [b] }),
    plugin('three', { requires: [a, b], provides: [c] }),
    plugin('four', { optional: [c] }),
    plugin('five'),
  ]
  const expected = order(plugins)
  fc.assert(
    fc.property(fc.shuffledSubarray(plugins, { minLength: plugins.length }), (shuffled) => {
      t.same(order(shuffled), expected)
    }),
    { numRuns: 50 },
  )
})

t.test('a missing service is named with the plugin that requires it', async (t) => {
  t.throws(() => order([plugin('needy', { requires: [a] })]), {
    code: 'CORE_ERR_SERVICE_MISSING',
    message: /needy requires service a/,
  })
})

t.test('a duplicate provider is named with its rival', async (t) => {
  t.throws(() => order([plugin('one', { provides: [a] }), plugin('two', { provides: [a] })]), {
    code: 'CORE_ERR_SERVICE_DUPLICATE',
    message: /a is provided by both one and two/,
  })
})

t.test('a cycle is named step by step, with the services', async (t) => {
  const plugins = [
    plugin('one', { requires: [a], provides: [c] }),
    plugin('two', { requires: [b], provides: [a] }),
    plugin('three', { optional: [c], provides: [b] }),
    plugin('zero', { requires: [a] }),
  ]
  t.throws(() => order(plugins), {
    code: 'CORE_ERR_SERVICE_CYCLE',
    message: /one -\(a\)-> two, two -\(b\)-> three, three -\(c\)-> one/,
  })
})

t.test('a plugin that requires what it provides itself is a cycle', async (t) => {
  t.throws(() => order([plugin('self', { requires: [a], provides: [a] })]), { code: 'CORE_ERR_SERVICE_CYCLE' })
})

t.test('a wrong version of a service is named with both plugins', async (t) => {
  const old = plugin('old', { provides: [defineService('a', '1.2.0')] })
  t.same(order([old, plugin('user', { requires: [defineService('a', '1.1.0')] })]), ['old', 'user'])
  for (const wanted of ['1.3.0', '2.0.0']) {
    const user = plugin('user', { requires: [defineService('a', wanted)] })
    t.throws(() => order([old, user]), {
      code: 'CORE_ERR_SERVICE_VERSION',
      message: new RegExp(`user requires service a \\^${wanted}, old provides 1\\.2\\.0`),
    })
  }
})

t.test('a plugin for another version of the core is refused by name', async (t) => {
  t.throws(() => order([plugin('future', { sallyport: '^9.0.0' })]), {
    code: 'CORE_ERR_PLUGIN_HOST_VERSION',
    message: /future needs @sallyport\/core \^9\.0\.0, this is 0\.1\.0/,
  })
})

t.test('two plugins of one name are refused', async (t) => {
  t.throws(() => order([plugin('same'), plugin('same')]), { code: 'CORE_ERR_PLUGIN_DUPLICATE', message: /same/ })
})

t.test('a default provider comes in only when it is needed and nobody else provides', async (t) => {
  const defaults = [
    { token: a, create: () => plugin('default-a', { provides: [a], requires: [b] }) },
    { token: b, create: () => plugin('default-b', { provides: [b] }) },
    { token: c, create: () => plugin('default-c', { provides: [c] }) },
  ]
  t.same(order([plugin('x')], { defaults }), ['x'])
  t.same(order([plugin('x', { optional: [a] })], { defaults }), ['x'])
  t.same(order([plugin('x', { requires: [a] })], { defaults }), ['default-b', 'default-a', 'x'])
  t.same(order([plugin('x', { requires: [a] }), plugin('own', { provides: [a] })], { defaults }), ['own', 'x'])
  t.same(order([], { defaults, wanted: [c] }), ['default-c'])
})

t.test('a given service satisfies requirements and rivals no provider', async (t) => {
  const plugins = [plugin('own', { provides: [a] }), plugin('x', { requires: [a] })]
  t.same(order(plugins, { given: [a] }), ['own', 'x'])
  t.same(order([plugin('x', { requires: [a] })], { given: [a] }), ['x'])
})

t.test('a definition that could only fail later is refused at once', async (t) => {
  const setup = () => undefined
  const up = async () => undefined
  const wrong: object[] = [
    { name: '', version: '1.0.0', setup },
    { name: 'Upper Case', version: '1.0.0', setup },
    { name: 'x'.repeat(101), version: '1.0.0', setup },
    { name: 'p', version: 'one', setup },
    { name: 'p', version: '1.0.0', sallyport: 'whatever', setup },
    { name: 'p', version: '1.0.0' },
    {
      name: 'p',
      version: '1.0.0',
      setup,
      migrations: [
        { name: 'm', up },
        { name: 'm', up },
      ],
    },
  ]
  for (const definition of wrong) {
    t.throws(() => definePlugin(definition as never), { code: 'CORE_ERR_PLUGIN_INVALID' })
  }
})
