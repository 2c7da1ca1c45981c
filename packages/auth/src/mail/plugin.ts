import { definePlugin, type PluginFactory } from '@sallyport/core'
import { version } from '../version.js'
import { createLogMailer } from './log-mailer.js'
import { Mailer } from './mailer.js'

/** Sends mail. Provides `Mailer`. */
export const mail: PluginFactory = definePlugin({
  name: '@sallyport/auth.mail',
  version,
  provides: { mailer: Mailer },
  setup: ({ logger }) => ({ mailer: createLogMailer(logger) }),
})
