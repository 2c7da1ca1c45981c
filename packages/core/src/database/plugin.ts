import { Type } from '@sinclair/typebox'
import { type Sequelize, Transaction } from 'sequelize'
import { coreErrors } from '../errors.js'
import { Health } from '../http/health.js'
import { secret } from '../kernel/config.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import type { Scope } from '../kernel/scope.js'
import type { Secret } from '../kernel/secret.js'
import { version } from '../version.js'
import { Database } from './database.js'
import { createSequelize } from './driver.js'
import { openEmbedded } from './embedded.js'
import { maintainEmbedded } from './embedded-maintenance.js'
import { EmbeddedStream } from './embedded-stream.js'
import { migrate } from './migrate.js'
import { connectServer } from './server.js'
import { parseServerUrl, type ServerAddress } from './server-url.js'

export interface DatabaseConfig {
  /** Where the data directory is, or `memory://`. Used without `url`. Default `./.data`. */
  readonly dataDir: string
  /** `postgres://user:password@host:port/database`: a server in place of the embedded database. */
  readonly url?: Secret
  readonly pool: {
    /** Most connections to the server. Default 10. */
    readonly max: number
  }
}

const name = '@sallyport/core.database'
const schema = Type.Object(
  {
    dataDir: Type.String({ default: './.data', minLength: 1 }),
    url: Type.Optional(secret({ pattern: '^postgres(ql)?://' })),
    pool: Type.Object(
      { max: Type.Integer({ default: 10, minimum: 2, maximum: 100 }) },
      { default: {}, additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)

/** Longest wait at the end for queries that are under way. */
const closeTimeoutMs = 5_000
/** One connection that stays: it is the database's only session. */
const embeddedPool = { max: 1, min: 1, idle: 3_600_000, acquire: 30_000 }

/** Provides `Database`: Postgres in this process inside `dataDir`, or the server at `url`. Applies all migrations. */
export const database: PluginFactory<DatabaseConfig> = definePlugin({
  name,
  version,
  optional: { health: Health },
  provides: { database: Database },
  config: schema,
  async setup({ services, config, scope, signal, logger, plugins }) {
    const { url } = config
    const service = url
      ? await openServer(url, config.pool.max, scope)
      : await openInProcess(config.dataDir, scope, signal)
    const { sequelize } = service
    const applied = await service.migrate((connection) => migrate(connection, plugins))
    if (applied.length > 0) logger.info({ migrations: applied }, 'migrations applied')
    if (service.kind === 'embedded') scope.defer(maintainEmbedded(sequelize, logger))
    if (services.health) {
      scope.defer(services.health.register('database', async () => void (await sequelize.query('SELECT 1'))))
    }
    return {
      database: {
        kind: service.kind,
        sequelize,
        // Locks are waited for and then the newest is read: what a server has for its default must not change that.
        transaction: (work) =>
          sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.READ_COMMITTED }, work),
      } satisfies Database,
    }
  },
})

interface Opened {
  readonly kind: Database['kind']
  readonly sequelize: Sequelize
  /** Gives the connection that migrations run on. */
  migrate<T>(work: (sequelize: Sequelize) => Promise<T>): Promise<T>
}

async function openInProcess(dataDir: string, scope: Scope, signal: AbortSignal): Promise<Opened> {
  const { database: engine, files, close: closeEngine } = await openEmbedded(dataDir, signal)
  scope.defer(closeEngine)
  const sequelize = createSequelize({
    client: { user: 'postgres', database: 'postgres', stream: () => new EmbeddedStream(engine, files) },
    pool: embeddedPool,
  })
  scope.defer(() => close(sequelize))
  return { kind: 'embedded', sequelize, migrate: (work) => work(sequelize) }
}

async function openServer(url: Secret, maxConnections: number, scope: Scope): Promise<Opened> {
  const address = readUrl(url)
  const sequelize = await connectServer(address, { maxConnections })
  scope.defer(() => close(sequelize))
  return {
    kind: 'postgres',
    sequelize,
    async migrate(work) {
      const connection = await connectServer(address, { maxConnections: 1, unlimitedStatements: true })
      return work(connection).finally(() => close(connection))
    },
  }
}

function readUrl(url: Secret): ServerAddress {
  try {
    return parseServerUrl(url.reveal())
  } catch (error) {
    throw coreErrors.CONFIG_INVALID({ plugin: name, reason: error instanceof Error ? error.message : 'url' })
  }
}

/** Waits for what is under way, but not for ever: a connection that someone forgot must not keep the process. */
async function close(sequelize: Sequelize): Promise<void> {
  const timeout = new AbortController()
  const waited = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, closeTimeoutMs)
    timeout.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  await Promise.race([sequelize.close().finally(() => timeout.abort()), waited])
}
