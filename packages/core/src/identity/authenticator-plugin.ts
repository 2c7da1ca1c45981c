import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { Authenticator } from './authenticator.js'
import { createAuthenticator } from './authenticator-service.js'

/** Keeps the strategies that other plugins add. */
export const authenticator: PluginFactory<unknown> = definePlugin({
  name: '@sallyport/core.authenticator',
  version,
  provides: { authenticator: Authenticator },
  setup: () => ({ authenticator: createAuthenticator() }),
})
