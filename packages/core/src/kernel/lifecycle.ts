import { setTimeout as delay } from 'node:timers/promises'
import { coreErrors } from '../errors.js'
import type { ServiceContainer } from './container.js'
import { isSallyportError } from './errors.js'
import { Logger } from './logger.js'
import type { Plugin, SetupContext } from './plugin.js'
import { createScope } from './scope.js'
import type { ServiceTokens } from './service.js'

export type KernelState = 'idle' | 'starting' | 'started' | 'stopping' | 'stopped'

interface LifecycleOptions {
  readonly plugins: readonly Plugin[]
  readonly container: ServiceContainer
  /** Ids of services that were overridden: what a plugin provides for them is not used. */
  readonly given: ReadonlySet<string>
  readonly drainTimeoutMs: number
}

interface Lifecycle {
  readonly state: KernelState
  start(): Promise<void>
  stop(): Promise<void>
}

type ReadyHook = () => void | Promise<void>
type DrainHook = (signal: AbortSignal) => void | Promise<void>

/** The one state machine of a kernel: idle, starting, started, stopping, stopped. */
export function runLifecycle({ plugins, container, given, drainTimeoutMs }: LifecycleOptions): Lifecycle {
  const logger = container.get(Logger)
  const scope = createScope('kernel')
  const stop = new AbortController()
  const readyHooks: { readonly plugin: string; readonly run: ReadyHook }[] = []
  const drainHooks: DrainHook[] = []
  let state: KernelState = 'idle'
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const resolve = (tokens: ServiceTokens): [string, unknown][] =>
    Object.entries(tokens).map(([key, token]) => [key, container.has(token) ? container.get(token) : undefined])

  const setUp = async (plugin: Plugin): Promise<void> => {
    const context: SetupContext = {
      services: Object.freeze(Object.fromEntries([...resolve(plugin.optional), ...resolve(plugin.requires)])),
      config: plugin.config,
      scope: scope.child(plugin.name),
      signal: stop.signal,
      logger: logger.child({ plugin: plugin.name }),
      plugins,
      onReady: (run) => void readyHooks.push({ plugin: plugin.name, run }),
      onDrain: (hook) => void drainHooks.push(hook),
    }
    const provided = ((await plugin.setup(context)) ?? {}) as Record<string, unknown>
    for (const [key, token] of Object.entries(plugin.provides)) {
      if (given.has(token.id)) continue
      if (provided[key] === undefined) {
        throw coreErrors.SERVICE_NOT_PROVIDED({ plugin: plugin.name, service: token.id })
      }
      container.set(token, provided[key])
    }
  }

  const startAll = async (): Promise<void> => {
    state = 'starting'
    let current = ''
    try {
      for (const plugin of plugins) {
        current = plugin.name
        if (stopping) throw coreErrors.KERNEL_STATE({ state: 'stopping', action: 'starting' })
        await setUp(plugin)
      }
      for (const { plugin, run } of readyHooks) {
        current = plugin
        await run()
      }
      state = 'started'
    } catch (error) {
      state = 'stopped'
      await scope.dispose().catch((failure: unknown) => logger.error({ err: failure }, 'undoing a failed start failed'))
      if (isSallyportError(error)) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw coreErrors.PLUGIN_SETUP_FAILED({ plugin: current, reason }, { cause: error })
    }
  }

  const drain = async (): Promise<void> => {
    const controller = new AbortController()
    const timer = delay(drainTimeoutMs, undefined, { signal: controller.signal }).then(
      () => logger.warn({ drainTimeoutMs }, 'work in progress did not end in time'),
      () => undefined,
    )
    const hooks = drainHooks.map(async (hook) => hook(controller.signal))
    const drained = Promise.allSettled(hooks).then((results) => {
      for (const result of results) {
        if (result.status === 'rejected') logger.error({ err: result.reason }, 'draining failed')
      }
    })
    await Promise.race([drained, timer])
    controller.abort()
  }

  const stopAll = async (): Promise<void> => {
    stop.abort()
    // A stop during a start lets the plugin being set up come to its end, so that what it opened has an owner.
    await starting?.catch(() => undefined)
    if (state === 'started') {
      state = 'stopping'
      await drain()
    }
    state = 'stopping'
    try {
      await scope.dispose()
    } finally {
      state = 'stopped'
    }
  }

  return {
    get state() {
      return state
    },
    start() {
      if (!starting && (stopping || state !== 'idle')) {
        return Promise.reject(coreErrors.KERNEL_STATE({ state, action: 'starting' }))
      }
      starting ??= startAll()
      return starting
    },
    stop() {
      stopping ??= stopAll()
      return stopping
    },
  }
}
