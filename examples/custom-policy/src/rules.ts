import { createSql, Database, definePlugin, Events, Http, type Plugin } from '@sallyport/core'
import { type RelayPolicy, relaysChanged } from '@sallyport/tunnel'
import { createAccounts } from './accounts.js'
import { createBans } from './bans.js'
import { createRelayPolicy } from './choose-relay.js'
import type { Report } from './decision.js'
import { createHooks, type Store } from './hooks.js'
import { migrations } from './migrations.js'
import { addRuleRoutes } from './rule-routes.js'
import { createSeats } from './seats.js'

/** The host's rules: a plugin with tables and routes of its own, and what `tunnel()` is given. */
export interface Rules {
  readonly plugin: Plugin
  readonly hooks: ReturnType<typeof createHooks>
  readonly chooseRelay: RelayPolicy
}

export function createRules(report: Report): Rules {
  // A plugin's database is there when the kernel starts, and nobody asks before.
  let store: Store | undefined
  const current = (): Store => {
    if (!store) throw new Error('the rules are not loaded')
    return store
  }
  const define = definePlugin({
    name: 'example.rules',
    version: '1.0.0',
    requires: { database: Database, events: Events, http: Http },
    migrations,
    setup({ services: { database, events, http }, scope }) {
      const sql = createSql(database)
      store = { accounts: createAccounts(sql), bans: createBans(sql), seats: createSeats(database, sql) }
      const { seats } = store
      // Nobody tells who left with a relay that crashed. So nobody is counted who was there when a relay went or came: better some too
      // many than an account that stays full for ever.
      scope.defer(events.on(relaysChanged, ({ relayIds }) => seats.forget(relayIds)))
      addRuleRoutes(http, store)
    },
  })
  return {
    plugin: define(),
    hooks: createHooks(current, report),
    chooseRelay: createRelayPolicy(() => current().accounts, report),
  }
}
