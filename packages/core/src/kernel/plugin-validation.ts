import { valid, validRange } from 'semver'
import { coreErrors } from '../errors.js'

interface Checked {
  readonly name: string
  readonly version: string
  readonly sallyport?: string
  readonly migrations?: readonly { readonly name: string }[]
  readonly setup: unknown
}

const namePattern = /^(@[a-z0-9-]+\/)?[a-z0-9][a-z0-9._-]*$/
const maxNameLength = 100

/** Refuses a definition that could only fail later. Throws `CORE_ERR_PLUGIN_INVALID`. */
export function assertPluginValid(definition: Checked): void {
  const plugin = String(definition.name)
  const refuse = (reason: string): never => {
    throw coreErrors.PLUGIN_INVALID({ plugin, reason })
  }
  if (!namePattern.test(plugin) || plugin.length > maxNameLength) refuse('its name is not like a package name')
  if (!valid(definition.version)) refuse(`its version ${definition.version} is not a semantic version`)
  if (definition.sallyport !== undefined && validRange(definition.sallyport) === null) {
    refuse(`its range ${definition.sallyport} of @sallyport/core is not a semantic version range`)
  }
  if (typeof definition.setup !== 'function') refuse('it has no setup function')
  const names = (definition.migrations ?? []).map((migration) => migration.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) refuse(`it has two migrations named ${twice}`)
}
