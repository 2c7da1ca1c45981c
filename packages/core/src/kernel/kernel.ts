import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { coreErrors } from '../errors.js'
import { type HostRequest, Http, type ListenAddress, type ListenOptions } from '../http/http.js'
import { answerNotServing, notServing, refuseUpgradeNotServing } from '../http/not-serving.js'
import type { Access, PrincipalFor } from '../http/route.js'
import { version } from '../version.js'
import { createServiceContainer } from './container.js'
import { defaultProviders } from './defaults.js'
import { type KernelState, runLifecycle } from './lifecycle.js'
import { createLogger, Logger } from './logger.js'
import type { Plugin } from './plugin.js'
import { orderPlugins } from './registry.js'
import type { ServiceOverride, ServiceToken } from './service.js'

export interface KernelOptions {
  /** Plugins, or groups of them such as `auth()` gives; in any order. */
  readonly plugins?: readonly (Plugin | readonly Plugin[])[]
  /** Services put in the place of whatever a plugin provides: the host's own logger, or a test's fake. */
  readonly overrides?: readonly ServiceOverride[]
  /** Where the kernel writes its log; by default JSON lines on standard output. */
  readonly logger?: Logger
  /** Whether the kernel answers HTTP; by default it does. Without it `fastify`, `handler` and `listen` throw. */
  readonly http?: boolean
  /** Longest time that a stop waits for work in progress, in milliseconds. Default 5,000. */
  readonly drainTimeoutMs?: number
}

/** Runs plugins: register, start, stop, once. A stopped kernel is not started again; make a new one. */
export interface Kernel {
  readonly state: KernelState
  /** The plugins in the order in which they start, core's own among them. Known from the beginning. */
  readonly plugins: readonly Plugin[]
  /**
   * Sets up every plugin. When one fails, what was set up is undone in reverse order and nothing stays open.
   * @throws `CORE_ERR_PLUGIN_SETUP_FAILED` naming the plugin, or the plugin's own catalogued error
   */
  start(): Promise<void>
  /** Lets work in progress end, up to `drainTimeoutMs`, then undoes everything in reverse order. Idempotent. */
  stop(): Promise<void>
  /** A service of the started kernel. */
  get<T>(token: ServiceToken<T>): T
  /** For a host's Fastify app: `app.register(kernel.fastify)`. Starts the kernel if need be; then closing the app stops it. */
  readonly fastify: FastifyPluginAsync
  /**
   * For any `node:http` server: `createServer(kernel.handler)`. Answers 503 until the kernel is started. With `next`, as
   * Express calls it (`app.use(kernel.handler)`), it answers only the kernel's own paths and hands on all others; those
   * of a kernel that is not started yet as well.
   */
  readonly handler: (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void
  /** For the same server's `upgrade` event. With `next`, that is called for what is not the kernel's. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, next?: () => void) => void
  /**
   * For the host's own routes: who makes a request, by the same credentials as the kernel's routes, a forged cross-site
   * request refused.
   * @param request Fastify's, Express's or Node's
   * @param access default `authenticated`: a user or an API key, whatever that was given; `{ kinds: ['user'] }` is people alone,
   *   `optional` gives `undefined` for nobody
   * @throws what the kernel's own routes answer, with `status` and `headers` as Fastify and Express take them: 400 for
   *   credentials of two principals, 401, 403, 503; `CORE_ERR_ARGUMENT_INVALID` for an `access` that there is not
   */
  authenticate<A extends Access = 'authenticated'>(request: HostRequest, access?: A): Promise<PrincipalFor<A>>
  /** Starts the kernel if need be and listens by itself. Throws `CORE_ERR_LISTEN_FAILED`. */
  listen(options?: ListenOptions): Promise<ListenAddress>
  [Symbol.asyncDispose](): Promise<void>
}

const defaultDrainTimeoutMs = 5_000

/**
 * Makes a kernel; nothing is opened before `start`.
 * @throws whatever `orderPlugins` throws: a kernel whose plugins don't fit is never made
 */
export function createKernel(options: KernelOptions = {}): Kernel {
  const { overrides = [] } = options
  const wantsHttp = options.http ?? true
  const plugins = orderPlugins({
    plugins: (options.plugins ?? []).flat(),
    defaults: defaultProviders(),
    given: [Logger, ...overrides.map(({ token }) => token)],
    wanted: wantsHttp ? [Http] : [],
    version,
  })
  const container = createServiceContainer()
  container.set(Logger, options.logger ?? createLogger())
  for (const { token, value } of overrides) container.set(token, value)
  const lifecycle = runLifecycle({
    plugins,
    container,
    given: new Set(overrides.map(({ token }) => token.id)),
    drainTimeoutMs: options.drainTimeoutMs ?? defaultDrainTimeoutMs,
  })

  const http = (action: string): Http => {
    if (!wantsHttp) throw coreErrors.SERVICE_UNAVAILABLE({ service: Http.id, reason: 'the kernel was made without it' })
    if (lifecycle.state !== 'started') throw coreErrors.KERNEL_STATE({ state: lifecycle.state, action })
    return container.get(Http)
  }

  const mount: FastifyPluginAsync = async (app) => {
    if (lifecycle.state === 'idle') app.addHook('onClose', () => lifecycle.stop())
    await lifecycle.start()
    await app.register(http('mounting').fastify)
  }
  // Encapsulated: hooks, parsers and error handling of the kernel's routes stay away from the host's own.
  const fastify = fastifyPlugin(mount, { name: '@sallyport/core', fastify: '5.x', encapsulate: true })

  return {
    get state() {
      return lifecycle.state
    },
    plugins,
    start: lifecycle.start,
    stop: lifecycle.stop,
    get(token) {
      return container.get(token)
    },
    fastify,
    handler(request, response, next) {
      const running = lifecycle.state === 'started' || lifecycle.state === 'stopping'
      if (running) container.get(Http).handler(request, response, next)
      else if (next && !(lifecycle.state === 'stopped' && container.has(Http) && container.get(Http).serves(request)))
        next()
      else answerNotServing(response)
    },
    upgrade(request, socket, head, next) {
      if (lifecycle.state === 'started') container.get(Http).upgrade(request, socket, head, next)
      else if (next) next()
      else refuseUpgradeNotServing(socket)
    },
    async authenticate(request, access) {
      if (!wantsHttp || lifecycle.state !== 'started') throw notServing()
      return container.get(Http).authenticate(request, access)
    },
    async listen(listenOptions) {
      await lifecycle.start()
      return http('listening').listen(listenOptions)
    },
    [Symbol.asyncDispose]() {
      return lifecycle.stop()
    },
  }
}
