import type { DefaultProvider } from './registry.js'

/** Core's own plugins, each started only when something requires a service that nobody else provides. */
export function defaultProviders(): readonly DefaultProvider[] {
  return []
}
