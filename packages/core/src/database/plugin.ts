import { setTimeout as delay } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import { type Sequelize, Transaction } from 'sequelize'
import { coreErrors } from '../errors.js'
import { Health } from '../http/health.js'
import { secret } from '../kernel/config.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import type { Scope } from '../kernel/scope.js'
import type { Secret } from '../kernel/secret.js'
import { version } from '../version.js'
import { defaultDataDir } from './data-dir.js'
import { Database } from './database.js'
import { createSequelize } from './driver.js'
import { openEmbedded } from './embedded.js'
import { maintainEmbedded } from './embedded-maintenance.js'
import { EmbeddedStream } from './embedded-stream.js'
import { createTurns } from './embedded-turns.js'
import { readHostConnection } from './host-connection.js'
import { isMigrated, migrate } from './migrate.js'
import { connectServer } from './server.js'
import { parseServerUrl, type ServerAddress } from './server-url.js'

export interface DatabaseConfig {
  /** Where the data directory is, or `memory://`. Used without `url`. Default `./.data`. */
  readonly dataDir: string
  /** `postgres://user:password@host:port/database`: a server in place of the embedded database. */
  readonly url?: Secret
  /**
   * The host's own `pg.Pool`, or settings as for `pg.Client`, in place of `url`: connects to the same server in the same
   * way, TLS and whatever gives the password included. The connections are the kernel's own, up to `pool.max`: the host's
   * sessions stay as they are, and neither waits for the other's.
   */
  readonly connectLike?: object
  readonly pool: {
    /** Most connections to the server. Default 10. */
    readonly max: number
  }
}

const name = '@sallyport/core.database'
const schema = Type.Object(
  {
    dataDir: Type.String({ default: defaultDataDir, minLength: 1 }),
    url: Type.Optional(secret({ pattern: '^postgres(ql)?://' })),
    connectLike: Type.Optional(Type.Unsafe<object>({ type: 'object' })),
    pool: Type.Object(
      { max: Type.Integer({ default: 10, minimum: 2, maximum: 100 }) },
      { default: {}, additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)

/** Longest wait at the end for queries that are under way. */
const closeTimeoutMs = 5_000
const closePollMs = 2
/** One connection that stays: it is the database's only session. */
const embeddedPool = { max: 1, min: 1, idle: 3_600_000, acquire: 30_000 }

/** Provides `Database`: Postgres in this process inside `dataDir`, or a server (`url`, `connectLike`). Applies all migrations. */
export const database: PluginFactory<DatabaseConfig> = definePlugin({
  name,
  version,
  optional: { health: Health },
  provides: { database: Database },
  config: schema,
  async setup({ services, config, scope, signal, logger, plugins }) {
    const address = readAddress(config)
    const service = address
      ? await openServer(address, config.pool.max, scope)
      : await openInProcess(config.dataDir, scope, signal)
    const { sequelize } = service
    const upToDate = await isMigrated(sequelize, plugins)
    const applied = upToDate ? [] : await service.migrate((connection) => migrate(connection, plugins))
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
  const turns = createTurns()
  const stream = (): EmbeddedStream => new EmbeddedStream(engine, files, turns)
  const sequelize = createSequelize({
    client: { user: 'postgres', database: 'postgres', stream },
    pool: embeddedPool,
  })
  scope.defer(() => close(sequelize))
  return { kind: 'embedded', sequelize, migrate: (work) => work(sequelize) }
}

async function openServer(address: ServerAddress, maxConnections: number, scope: Scope): Promise<Opened> {
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

/** Of the server; `undefined` for the embedded database. */
function readAddress({ url, connectLike }: DatabaseConfig): ServerAddress | undefined {
  try {
    if (url && connectLike) throw new TypeError('of url and connectLike one is too many')
    if (connectLike) return readHostConnection(connectLike)
    return url && parseServerUrl(url.reveal())
  } catch (error) {
    throw coreErrors.CONFIG_INVALID({ plugin: name, reason: error instanceof Error ? error.message : 'url' })
  }
}

/** Waits for what is under way, but not for ever: a connection that someone forgot must not keep the process. */
async function close(sequelize: Sequelize): Promise<void> {
  const end = performance.now() + closeTimeoutMs
  // The pool itself looks only every 100 ms whether its connections are back, those that are just being opened among them.
  while (isBusy(sequelize) && performance.now() < end) await delay(closePollMs)
  const timeout = new AbortController()
  const late = delay(Math.max(0, end - performance.now()), undefined, { signal: timeout.signal }).catch(() => undefined)
  await Promise.race([sequelize.close().finally(() => timeout.abort()), late])
}

function isBusy(sequelize: Sequelize): boolean {
  const { pool } = sequelize.connectionManager as unknown as { pool: { size: number; available: number } }
  return pool.available < pool.size
}
