import { randomBytes } from 'node:crypto'
import { auth, session } from '@sallyport/auth'
import { createKernel, createLogger, Database, database, type Kernel, keyring } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import type { Host } from './hosts.js'
import type { HostOptions, Query } from './query.js'

/** A panel for the host's users, on an embedded Postgres in memory. */
export function createPanel(host: Host, options: HostOptions): { readonly kernel: Kernel; readonly query: Query } {
  // A host has a connection of its own: `async (sql, values) => (await pool.query(sql, values)).rows`.
  const query: Query = (statement, values) =>
    kernel.get(Database).sequelize.query(statement, { bind: [...values], type: QueryTypes.SELECT })
  const kernel: Kernel = createKernel({
    logger: createLogger({ level: 'warn' }),
    plugins: [
      database({ dataDir: 'memory://' }),
      keyring({ secretKeys: [randomBytes(32).toString('base64url')] }),
      auth({ strategies: [session()], users: host.directory(query, options) }),
    ],
  })
  return { kernel, query }
}
