import { Database, definePlugin, type PluginFactory } from '@sallyport/core'
import { regularly } from '../regularly.js'
import { version } from '../version.js'
import { OneTimeTokens } from './one-time-tokens.js'
import { createOneTimeTokenStore } from './store.js'

const purgeIntervalMs = 900_000

/** Provides `OneTimeTokens`. */
export const oneTimeTokens: PluginFactory = definePlugin({
  name: '@sallyport/auth.one-time-tokens',
  version,
  requires: { database: Database },
  provides: { tokens: OneTimeTokens },
  migrations: [
    {
      name: '0001-create-one-time-tokens',
      up: ({ sql }) =>
        sql(`
          CREATE TABLE auth_one_time_tokens (
            id text PRIMARY KEY,
            purpose text NOT NULL,
            subject text,
            data jsonb,
            expires_at timestamptz NOT NULL
          );
          CREATE INDEX auth_one_time_tokens_subject ON auth_one_time_tokens (subject, purpose);
          CREATE INDEX auth_one_time_tokens_expires_at ON auth_one_time_tokens (expires_at);
        `),
    },
  ],
  setup({ services, scope, logger }) {
    const store = createOneTimeTokenStore(services.database)
    scope.defer(regularly(purgeIntervalMs, 'deleting expired one-time tokens', logger, () => store.purge()))
    return { tokens: store }
  },
})
