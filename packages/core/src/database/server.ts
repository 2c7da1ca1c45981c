import type { Sequelize } from 'sequelize'
import { coreErrors } from '../errors.js'
import { createSequelize } from './driver.js'
import type { ServerAddress } from './server-url.js'
import { describeUnreachable } from './unreachable.js'

/** Longest wait for the server to accept a connection. */
const connectTimeoutMs = 5_000
/** Longest wait for a free connection of the pool, a new one's opening included. */
const acquireTimeoutMs = 8_000
/** Longest time that one statement may take on the server, and then, should its answer not come, here. */
const statementTimeoutMs = 30_000
const answerTimeoutMs = 35_000
/** Longest time that a transaction may be left open without a statement. */
const idleInTransactionTimeoutMs = 30_000
const idleConnectionMs = 30_000
const keepAliveDelayMs = 10_000

export interface ServerOptions {
  readonly maxConnections: number
  /** For migrations: no bound on how long one statement may take. */
  readonly unlimitedStatements?: boolean
}

/**
 * Makes a pool of connections to a Postgres server and tries one.
 * @throws `CORE_ERR_DATABASE_UNREACHABLE` within ten seconds, with a reason that holds no password
 */
export async function connectServer(address: ServerAddress, options: ServerOptions): Promise<Sequelize> {
  // Those of a host's pool are for its own statements.
  const timeouts = options.unlimitedStatements
    ? { statement_timeout: 0, query_timeout: 0, idle_in_transaction_session_timeout: 0 }
    : {
        statement_timeout: statementTimeoutMs,
        query_timeout: answerTimeoutMs,
        idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      }
  const sequelize = createSequelize({
    client: {
      ...address.client,
      ...timeouts,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveDelayMs,
    },
    pool: { max: options.maxConnections, min: 0, idle: idleConnectionMs, acquire: acquireTimeoutMs },
  })
  try {
    await sequelize.query('SELECT 1')
  } catch (error) {
    await sequelize.close()
    throw coreErrors.DATABASE_UNREACHABLE({ reason: describeUnreachable(error, address) })
  }
  return sequelize
}
