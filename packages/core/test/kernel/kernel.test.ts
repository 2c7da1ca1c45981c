import t from 'tap'
import {
  createKernel,
  definePlugin,
  defineService,
  type KernelOptions,
  type Logger,
  override,
  type Plugin,
} from '../../dist/index.js'

const silent: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  child: () => silent,
}
const make = (options: KernelOptions) => createKernel({ http: false, logger: silent, ...options })

const Greeting = defineService<{ say(name: string): string }>('test.greeting')

const greeter = definePlugin({
  name: 'greeter',
  version: '1.0.0',
  provides: { greeting: Greeting },
  setup: () => ({ greeting: { say: (name: string) => `hello ${name}` } }),
})

function tracer(
  name: string,
  log: string[],
  more: { fail?: boolean; requires?: object; drain?: () => Promise<void> } = {},
): Plugin {
  return definePlugin({
    name,
    version: '1.0.0',
    async setup({ scope, onReady, onDrain }) {
      log.push(`${name} up`)
      scope.defer(() => void log.push(`${name} down one`))
      scope.defer(() => void log.push(`${name} down two`))
      onReady(() => void log.push(`${name} ready`))
      onDrain(async () => {
        log.push(`${name} drain`)
        await more.drain?.()
      })
      if (more.fail) throw new Error('no luck')
    },
  })()
}

t.test('a plugin gets the services it requires, and only those', async (t) => {
  let seen: unknown
  const user = definePlugin({
    name: 'user',
    version: '1.0.0',
    requires: { greeting: Greeting },
    optional: { other: defineService<number>('test.other') },
    setup({ services }) {
      seen = { keys: Object.keys(services).sort(), said: services.greeting.say('you'), other: services.other }
    },
  })
  const kernel = make({ plugins: [user(), greeter()] })
  t.same(
    kernel.plugins.map(({ name }) => name),
    ['greeter', 'user'],
  )
  await kernel.start()
  t.same(seen, { keys: ['greeting', 'other'], said: 'hello you', other: undefined })
  t.equal(kernel.get(Greeting).say('me'), 'hello me')
  await kernel.stop()
})

t.test('starts in order, stops in reverse order, drains before anything is undone', async (t) => {
  const log: string[] = []
  const kernel = make({ plugins: [tracer('b', log), tracer('a', log)] })
  t.equal(kernel.state, 'idle')
  await Promise.all([kernel.start(), kernel.start()])
  t.equal(kernel.state, 'started')
  await Promise.all([kernel.stop(), kernel.stop()])
  t.equal(kernel.state, 'stopped')
  t.same(log, [
    ...['a up', 'b up', 'a ready', 'b ready', 'a drain', 'b drain'],
    ...['b down two', 'b down one', 'a down two', 'a down one'],
  ])
})

t.test('a start that fails half-way undoes what was set up, its own half included', async (t) => {
  const log: string[] = []
  const kernel = make({ plugins: [tracer('a', log), tracer('b', log, { fail: true }), tracer('c', log)] })
  await t.rejects(kernel.start(), { code: 'CORE_ERR_PLUGIN_SETUP_FAILED', message: /b failed to start: no luck/ })
  t.same(log, ['a up', 'b up', 'b down two', 'b down one', 'a down two', 'a down one'])
  t.equal(kernel.state, 'stopped')
  await t.rejects(kernel.start(), { code: 'CORE_ERR_PLUGIN_SETUP_FAILED' })
  await kernel.stop()
})

t.test('a ready hook that fails is named by its plugin', async (t) => {
  const log: string[] = []
  const failing = definePlugin({
    name: 'b-failing',
    version: '1.0.0',
    setup: ({ onReady }) =>
      onReady(() => {
        throw new Error('no luck')
      }),
  })
  const kernel = make({ plugins: [tracer('a', log), failing()] })
  const expected = { code: 'CORE_ERR_PLUGIN_SETUP_FAILED', message: /^Plugin b-failing failed/ }
  await t.rejects(kernel.start(), expected)
  t.same(log, ['a up', 'a ready', 'a down two', 'a down one'])
})

t.test('a stop in the middle of a start waits for it and undoes everything', async (t) => {
  const log: string[] = []
  let release = () => {}
  const slow = definePlugin({
    name: 'b-slow',
    version: '1.0.0',
    async setup({ scope }) {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      scope.defer(() => void log.push('slow down'))
    },
  })
  const kernel = make({ plugins: [tracer('a', log), slow(), tracer('c', log)] })
  const started = kernel.start()
  await new Promise(setImmediate)
  const stopped = kernel.stop()
  release()
  await t.rejects(started, { code: 'CORE_ERR_KERNEL_STATE' })
  await stopped
  t.same(log, ['a up', 'slow down', 'a down two', 'a down one'])
})

t.test('a setup that takes long is told of the stop', async (t) => {
  let begun = () => {}
  const begins = new Promise<void>((resolve) => {
    begun = resolve
  })
  const patient = definePlugin({
    name: 'patient',
    version: '1.0.0',
    async setup({ signal }) {
      begun()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new Error('gave up')
    },
  })
  const kernel = make({ plugins: [patient()] })
  const started = kernel.start()
  await begins
  const stopped = kernel.stop()
  await t.rejects(started, { message: /gave up/ })
  await stopped
  t.equal(kernel.state, 'stopped')
})

t.test('a kernel that never started stops without fuss, and then does not start', async (t) => {
  const kernel = make({})
  await kernel.stop()
  await t.rejects(kernel.start(), { code: 'CORE_ERR_KERNEL_STATE' })
})

t.test('a drain that never ends is left behind after its time', async (t) => {
  const log: string[] = []
  const kernel = make({ plugins: [tracer('a', log, { drain: () => new Promise(() => {}) })], drainTimeoutMs: 20 })
  await kernel.start()
  await kernel.stop()
  t.same(log.slice(-2), ['a down two', 'a down one'])
})

t.test('a service is overridden for a test, whoever provides it', async (t) => {
  const user = definePlugin({
    name: 'user',
    version: '1.0.0',
    requires: { greeting: Greeting },
    setup: ({ services }) => void t.equal(services.greeting.say('you'), 'fake you'),
  })
  const fake = override(Greeting, { say: (name) => `fake ${name}` })
  for (const plugins of [[user(), greeter()], [user()]]) {
    const kernel = make({ plugins, overrides: [fake] })
    await kernel.start()
    t.equal(kernel.get(Greeting), fake.value)
    await kernel.stop()
  }
})

t.test('a plugin that forgets a service it declares is named', async (t) => {
  const liar = definePlugin({
    name: 'liar',
    version: '1.0.0',
    provides: { greeting: Greeting },
    setup: () => ({}) as never,
  })
  const kernel = make({ plugins: [liar()] })
  await t.rejects(kernel.start(), { code: 'CORE_ERR_SERVICE_NOT_PROVIDED', message: /liar.*test\.greeting/ })
})

t.test('two kernels in one process do not meet', async (t) => {
  const counter = defineService<{ count: number }>('test.counter')
  const counting = definePlugin({
    name: 'counting',
    version: '1.0.0',
    provides: { counter },
    setup: () => ({ counter: { count: 0 } }),
  })
  const plugin = counting()
  const [one, two] = [make({ plugins: [plugin] }), make({ plugins: [plugin] })]
  await Promise.all([one.start(), two.start()])
  one.get(counter).count++
  t.same([one.get(counter).count, two.get(counter).count], [1, 0])
  await one.stop()
  t.equal(two.get(counter).count, 0)
  await two.stop()
})

t.test('a service asked for before the start, or that nobody provides, is a clear error', async (t) => {
  const kernel = make({ plugins: [greeter()] })
  t.throws(() => kernel.get(Greeting), { code: 'CORE_ERR_SERVICE_UNAVAILABLE', message: /test\.greeting/ })
  await kernel.start()
  t.throws(() => kernel.get(defineService('test.nothing')), { code: 'CORE_ERR_SERVICE_UNAVAILABLE' })
  await kernel.stop()
})

t.test('without HTTP, listening is refused by name', async (t) => {
  const kernel = make({})
  await t.rejects(kernel.listen(), { code: 'CORE_ERR_SERVICE_UNAVAILABLE', message: /core\.http/ })
  await kernel.stop()
})

t.test('a failing disposer does not keep the others from running, and stop says so', async (t) => {
  const log: string[] = []
  const broken = definePlugin({
    name: 'z-broken',
    version: '1.0.0',
    setup({ scope }) {
      scope.defer(() => Promise.reject(new Error('stuck')))
    },
  })
  const kernel = make({ plugins: [tracer('a', log), broken()] })
  await kernel.start()
  await t.rejects(kernel.stop(), { code: 'CORE_ERR_DISPOSE_FAILED', message: /stuck/ })
  t.same(log.slice(-2), ['a down two', 'a down one'])
  t.equal(kernel.state, 'stopped')
})
