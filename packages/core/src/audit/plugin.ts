import { Type } from '@sinclair/typebox'
import { Database } from '../database/database.js'
import { Http } from '../http/http.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { Audit } from './audit.js'
import { startRetention } from './retention.js'
import { addAuditRoutes } from './routes.js'
import { toAuditRow } from './row.js'
import { auditMigrations, createAuditStorage } from './storage.js'

export interface AuditConfig {
  /** Days for which entries are kept. Default 365. */
  readonly retentionDays: number
}

const schema = Type.Object(
  { retentionDays: Type.Integer({ default: 365, minimum: 1, maximum: 36_500 }) },
  { additionalProperties: false },
)

/** Provides `Audit`, kept in the database, with `GET /api/audit`. */
export const audit: PluginFactory<AuditConfig> = definePlugin({
  name: '@sallyport/core.audit',
  version,
  requires: { database: Database, http: Http },
  provides: { audit: Audit },
  migrations: auditMigrations,
  config: schema,
  setup({ services, config, scope, logger, onReady }) {
    const storage = createAuditStorage(services.database)
    addAuditRoutes(services.http, storage)
    onReady(() => scope.defer(startRetention(storage, config.retentionDays, logger)))
    return { audit: { record: (record) => storage.add(toAuditRow(record)) } }
  },
})
