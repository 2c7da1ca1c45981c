import { Type } from '@sinclair/typebox'
import { Audit } from '../audit/audit.js'
import { Database } from '../database/database.js'
import { isDatabaseUnavailable } from '../database/unavailable.js'
import { coreErrors } from '../errors.js'
import { Events } from '../events/events.js'
import { Http } from '../http/http.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { createSettings } from './create-settings.js'
import { Features } from './features.js'
import { defineFeatures } from './features-section.js'
import { addSettingsRoutes } from './routes.js'
import { Settings } from './settings.js'
import { createSettingsStorage, settingsMigrations } from './storage.js'

export interface SettingsConfig {
  /** First values of sections by name, written when the database has none: `{ features: { tunnels: false } }`. */
  readonly initial: Record<string, Record<string, unknown>>
}

const name = '@sallyport/core.settings'
const schema = Type.Object(
  { initial: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), { default: {} }) },
  { additionalProperties: false },
)

/** How often an instance that shares its database looks for changes of which no event told it. */
const refreshIntervalMs = 30_000

/** Provides `Settings` and `Features`, with the routes of `/api/settings`. */
export const settings: PluginFactory<SettingsConfig> = definePlugin({
  name,
  version,
  requires: { database: Database, events: Events, http: Http },
  optional: { audit: Audit },
  provides: { settings: Settings, features: Features },
  migrations: settingsMigrations,
  config: schema,
  async setup({ services, config, scope, logger, onReady }) {
    const { database, events, http, audit } = services
    const storage = createSettingsStorage(database)
    const open = createSettings({ storage, events, logger, initial: config.initial, scope })
    const features = await defineFeatures(open)
    addSettingsRoutes(http, open, audit)
    onReady(() => {
      const unknown = Object.keys(config.initial).find((section) => !open.isDefined(section))
      if (unknown === undefined) return
      throw coreErrors.CONFIG_INVALID({ plugin: name, reason: `initial.${unknown} is a section that nobody defines` })
    })
    if (database.kind === 'postgres') {
      const timer = setInterval(() => {
        void open.refresh().catch((error: unknown) => {
          // The next round tries again; that the database is away is said elsewhere.
          if (!isDatabaseUnavailable(error)) logger.error({ err: error }, 'settings could not be read')
        })
      }, refreshIntervalMs).unref()
      scope.defer(() => clearInterval(timer))
    }
    return { settings: open, features }
  },
})
