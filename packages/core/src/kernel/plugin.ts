import type { Static, TSchema } from '@sinclair/typebox'
import type { Migration } from '../database/migration.js'
import { type ConfigInput, createConfigReader } from './config.js'
import type { ErrorCatalogue } from './errors.js'
import type { Logger } from './logger.js'
import { assertPluginValid } from './plugin-validation.js'
import type { Scope } from './scope.js'
import type { OptionalServices, ResolvedServices, ServiceTokens } from './service.js'

/** What a plugin's `setup` is given. */
export interface SetupContext<Requires = ServiceTokens, Optional = ServiceTokens, Config = unknown> {
  /** The services that the plugin declared, and no others: a missing optional one is `undefined`. */
  readonly services: ResolvedServices<Requires> & OptionalServices<Optional>
  /** Validated, defaulted and frozen. */
  readonly config: Config
  /** Owns what the plugin opens; disposed when the kernel stops, or when a start fails half-way. */
  readonly scope: Scope
  /** Aborted when a stop begins, even while this setup runs: what takes long gives up then. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** Every plugin of this kernel, in the order in which they start. */
  readonly plugins: readonly Plugin[]
  /** Runs once every plugin is set up, in order; the kernel is ready when all have ended. */
  onReady(hook: () => void | Promise<void>): void
  /** Runs when a stop begins, before anything is disposed: stop taking new work, let the present end. */
  onDrain(hook: (signal: AbortSignal) => void | Promise<void>): void
}

/** The provided services, now or later; nothing from a plugin that provides none. */
type SetupResult<Provides> =
  | ResolvedServices<Provides>
  | Promise<ResolvedServices<Provides>>
  | (keyof Provides extends never ? void | Promise<void> : never)

/** How a plugin is written. */
export interface PluginDefinition<
  Requires extends ServiceTokens = ServiceTokens,
  Optional extends ServiceTokens = ServiceTokens,
  Provides extends ServiceTokens = ServiceTokens,
  Schema extends TSchema = TSchema,
> {
  /** Unique in a kernel, by custom the package's name. */
  readonly name: string
  /** Semantic version of the plugin. */
  readonly version: string
  /** Range of `@sallyport/core` versions that it works with; by default any. */
  readonly sallyport?: string
  /** Services that must be there before it is set up. */
  readonly requires?: Requires
  /** Services that it uses when some plugin provides them. */
  readonly optional?: Optional
  /** Services that `setup` returns, under the same keys. */
  readonly provides?: Provides
  /** JSON Schema of its configuration, written with TypeBox. */
  readonly config?: Schema
  /** Changes of its own tables, in the order in which they are applied. */
  readonly migrations?: readonly Migration[]
  /** Its error catalogue, for documentation. */
  readonly errors?: ErrorCatalogue
  setup(context: SetupContext<Requires, Optional, Static<Schema>>): SetupResult<NoInfer<Provides>>
}

/** A plugin with its configuration, ready to be given to a kernel. */
export interface Plugin {
  readonly name: string
  readonly version: string
  readonly sallyport: string
  readonly requires: ServiceTokens
  readonly optional: ServiceTokens
  readonly provides: ServiceTokens
  readonly migrations: readonly Migration[]
  readonly errors: ErrorCatalogue
  readonly config: unknown
  setup(context: SetupContext): unknown
}

/** Takes a plugin's configuration and gives the plugin. Throws `CORE_ERR_CONFIG_INVALID`. */
export type PluginFactory<Config = unknown> = (config?: ConfigInput<Config>) => Plugin

/**
 * Defines a plugin. The result is called once for each kernel, with the configuration.
 * @throws `CORE_ERR_PLUGIN_INVALID` when name, version or migrations are not what they must be
 */
export function definePlugin<
  const Requires extends ServiceTokens = Record<never, never>,
  const Optional extends ServiceTokens = Record<never, never>,
  const Provides extends ServiceTokens = Record<never, never>,
  Schema extends TSchema = TSchema,
>(definition: PluginDefinition<Requires, Optional, Provides, Schema>): PluginFactory<Static<Schema>> {
  assertPluginValid(definition)
  const { name, config: schema } = definition
  const readConfig = schema && createConfigReader(name, schema)
  return (input) =>
    Object.freeze({
      name,
      version: definition.version,
      sallyport: definition.sallyport ?? '*',
      requires: definition.requires ?? {},
      optional: definition.optional ?? {},
      provides: definition.provides ?? {},
      migrations: definition.migrations ?? [],
      errors: definition.errors ?? {},
      config: readConfig?.(input),
      setup: (context: SetupContext) => definition.setup(context as never),
    })
}
