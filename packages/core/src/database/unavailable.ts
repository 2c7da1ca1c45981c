import { coreErrors } from '../errors.js'

/** Names under which Sequelize says that it got no connection. */
const connectionErrors: ReadonlySet<string> = new Set([
  'SequelizeConnectionError',
  'SequelizeConnectionRefusedError',
  'SequelizeHostNotFoundError',
  'SequelizeHostNotReachableError',
  'SequelizeInvalidConnectionError',
  'SequelizeConnectionTimedOutError',
  'SequelizeConnectionAcquireTimeoutError',
])

/** What the driver says when `query_timeout` has passed. */
export const queryTimedOut = 'Query read timeout'

/** What the driver says when the connection goes away under a query. */
const lostMessages: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  queryTimedOut,
  'The embedded database is closed',
])

const lostCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNREFUSED',
  // PostgreSQL, appendix A: admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections,
  // idle_in_transaction_session_timeout, read_only_sql_transaction (a failover is under way)
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '25P03',
  '25006',
])

/** Whether something failed because the database is away, so that it is worth trying again later (HTTP 503). */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (coreErrors.DATABASE_UNREACHABLE.is(error) || connectionErrors.has(error.name)) return true
  const { parent } = error as { parent?: unknown }
  return error.name === 'SequelizeDatabaseError' && parent instanceof Error && isConnectionLost(parent)
}

/** Whether an error of the driver `pg` says that the connection is of no use any more. */
export function isConnectionLost(error: Error): boolean {
  const { code } = error as { code?: unknown }
  // Class 08: connection exception.
  if (typeof code === 'string' && (lostCodes.has(code) || code.startsWith('08'))) return true
  return lostMessages.has(error.message)
}
