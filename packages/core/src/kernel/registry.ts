import { satisfies } from 'semver'
import { coreErrors } from '../errors.js'
import type { Plugin } from './plugin.js'
import type { ServiceToken } from './service.js'

/** Starts a plugin when something requires a service that no registered plugin provides. */
export interface DefaultProvider {
  readonly token: ServiceToken<unknown>
  create(): Plugin
}

export interface RegistryInput {
  readonly plugins: readonly Plugin[]
  /** Core's own providers, each started only when needed. */
  readonly defaults?: readonly DefaultProvider[]
  /** Services that are there without a plugin: the logger, and overrides. */
  readonly given?: readonly ServiceToken<unknown>[]
  /** Services that the kernel itself needs. */
  readonly wanted?: readonly ServiceToken<unknown>[]
  /** Version of `@sallyport/core`. */
  readonly version: string
}

/** Name under which errors speak of the kernel's own requirements. */
const kernelName = '@sallyport/core'

/**
 * Puts plugins into the order in which they start: a provider before whoever requires it, else by name, so that the
 * order in which a host lists them makes no difference.
 * @throws `CORE_ERR_PLUGIN_DUPLICATE`, `CORE_ERR_PLUGIN_HOST_VERSION`, `CORE_ERR_SERVICE_DUPLICATE`,
 *   `CORE_ERR_SERVICE_MISSING`, `CORE_ERR_SERVICE_VERSION`, `CORE_ERR_SERVICE_CYCLE`, each naming the plugins at fault
 */
export function orderPlugins(input: RegistryInput): readonly Plugin[] {
  assertAcceptable(input)
  const given = new Map((input.given ?? []).map((token) => [token.id, token]))
  const plugins = new Map(input.plugins.map((plugin) => [plugin.name, plugin]))
  const providers = findProviders(input.plugins, given)
  addDefaults(input, plugins, providers, given)
  assertSatisfied(input, plugins, providers, given)
  return sort(plugins, providers)
}

function assertAcceptable({ plugins, version }: RegistryInput): void {
  const names = new Set<string>()
  for (const plugin of plugins) {
    if (names.has(plugin.name)) throw coreErrors.PLUGIN_DUPLICATE({ plugin: plugin.name })
    names.add(plugin.name)
    if (!satisfies(version, plugin.sallyport, { includePrerelease: true })) {
      throw coreErrors.PLUGIN_HOST_VERSION({ plugin: plugin.name, range: plugin.sallyport, version })
    }
  }
}

type Tokens = ReadonlyMap<string, ServiceToken<unknown>>
type Providers = Map<string, { plugin: Plugin; token: ServiceToken<unknown> }>

function findProviders(plugins: readonly Plugin[], given: Tokens): Providers {
  const providers: Providers = new Map()
  for (const plugin of plugins) addProvider(providers, plugin, given)
  return providers
}

function addProvider(providers: Providers, plugin: Plugin, given: Tokens): void {
  for (const token of Object.values(plugin.provides)) {
    if (given.has(token.id)) continue
    const other = providers.get(token.id)
    if (other) {
      throw coreErrors.SERVICE_DUPLICATE({ service: token.id, first: other.plugin.name, second: plugin.name })
    }
    providers.set(token.id, { plugin, token })
  }
}

function addDefaults(input: RegistryInput, plugins: Map<string, Plugin>, providers: Providers, given: Tokens): void {
  const defaults = new Map((input.defaults ?? []).map((entry) => [entry.token.id, entry]))
  const needed = [...(input.wanted ?? []), ...input.plugins.flatMap((plugin) => Object.values(plugin.requires))]
  for (let token = needed.pop(); token; token = needed.pop()) {
    const fallback = defaults.get(token.id)
    if (!fallback || given.has(token.id) || providers.has(token.id)) continue
    const plugin = fallback.create()
    if (plugins.has(plugin.name)) throw coreErrors.PLUGIN_DUPLICATE({ plugin: plugin.name })
    plugins.set(plugin.name, plugin)
    addProvider(providers, plugin, given)
    needed.push(...Object.values(plugin.requires))
  }
}

function assertSatisfied(
  input: RegistryInput,
  plugins: ReadonlyMap<string, Plugin>,
  providers: Providers,
  given: Tokens,
): void {
  const check = (plugin: string, token: ServiceToken<unknown>, optional: boolean): void => {
    const provider = providers.get(token.id)
    const provided = given.get(token.id) ?? provider?.token
    if (!provided) {
      if (optional) return
      throw coreErrors.SERVICE_MISSING({ plugin, service: token.id })
    }
    const range = `^${token.version}`
    if (satisfies(provided.version, range, { includePrerelease: true })) return
    const names = { plugin, service: token.id, range, provider: provider?.plugin.name ?? 'the host' }
    throw coreErrors.SERVICE_VERSION({ ...names, version: provided.version })
  }
  for (const token of input.wanted ?? []) check(kernelName, token, false)
  for (const plugin of plugins.values()) {
    for (const token of Object.values(plugin.requires)) check(plugin.name, token, false)
    for (const token of Object.values(plugin.optional)) check(plugin.name, token, true)
  }
}

function sort(plugins: ReadonlyMap<string, Plugin>, providers: Providers): readonly Plugin[] {
  const ordered = new Set<Plugin>()
  const path: Plugin[] = []
  const visit = (plugin: Plugin): void => {
    if (ordered.has(plugin)) return
    if (path.includes(plugin)) throw cycle([...path.slice(path.indexOf(plugin)), plugin], providers)
    path.push(plugin)
    for (const dependency of dependencies(plugin, providers)) visit(dependency)
    path.pop()
    ordered.add(plugin)
  }
  for (const plugin of byName([...plugins.values()])) visit(plugin)
  return [...ordered]
}

function dependencies(plugin: Plugin, providers: Providers): readonly Plugin[] {
  const tokens = [...Object.values(plugin.requires), ...Object.values(plugin.optional)]
  const found = tokens.flatMap((token) => providers.get(token.id)?.plugin ?? [])
  return byName([...new Set(found)])
}

function byName(plugins: Plugin[]): Plugin[] {
  return plugins.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function cycle(path: readonly Plugin[], providers: Providers): Error {
  const steps = path.slice(1).map((plugin, index) => {
    const from = path[index] as Plugin
    const tokens = [...Object.values(from.requires), ...Object.values(from.optional)]
    const service = tokens.find((token) => providers.get(token.id)?.plugin === plugin)
    return `${from.name} -(${service?.id})-> ${plugin.name}`
  })
  return coreErrors.SERVICE_CYCLE({ cycle: steps.join(', ') })
}
