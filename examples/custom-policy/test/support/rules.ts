import { createKernel, createLogger, createSql, Database, database, type Sql } from '@sallyport/core'
import type { Test } from 'tap'
import { type Accounts, createAccounts } from '../../dist/accounts.js'
import { type Bans, createBans } from '../../dist/bans.js'
import type { Decision } from '../../dist/decision.js'
import { createRules, type Rules } from '../../dist/rules.js'

export interface LoadedRules extends Rules {
  readonly accounts: Accounts
  readonly bans: Bans
  readonly sql: Sql
  readonly decisions: readonly Decision[]
}

/** The rules without tunnels, on a database in memory or the one of `url`. */
export async function loadRules(t: Test, url?: string): Promise<LoadedRules> {
  const decisions: Decision[] = []
  const rules = createRules((decision) => decisions.push(decision))
  const kernel = createKernel({
    logger: createLogger({ level: 'silent' }),
    plugins: [database(url === undefined ? { dataDir: 'memory://' } : { url }), rules.plugin],
  })
  t.teardown(() => kernel.stop())
  await kernel.start()
  const sql = createSql(kernel.get(Database))
  return { ...rules, accounts: createAccounts(sql), bans: createBans(sql), sql, decisions }
}
