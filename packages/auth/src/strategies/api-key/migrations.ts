import type { Migration } from '@sallyport/core'

/** The API-key strategy's table. `user_id` is text: the host's own users have ids of any type. */
export const apiKeyMigrations: readonly Migration[] = [
  {
    name: '0001-create-api-keys',
    up: ({ sql }) =>
      sql(`
        CREATE TABLE auth_api_keys (
          id uuid PRIMARY KEY,
          user_id text NOT NULL,
          access_stamp text,
          type text NOT NULL CHECK (type IN ('client', 'admin')),
          name text NOT NULL,
          permissions text[] NOT NULL,
          allowed_ips text[] NOT NULL,
          digest text NOT NULL UNIQUE,
          prefix text NOT NULL,
          made_by_key uuid REFERENCES auth_api_keys (id) ON DELETE CASCADE,
          made_by_user text,
          made_by_stamp text,
          revision integer NOT NULL DEFAULT 0,
          created_at timestamptz NOT NULL DEFAULT now(),
          expires_at timestamptz,
          last_used_at timestamptz
        );
        CREATE INDEX auth_api_keys_user_id ON auth_api_keys (user_id, created_at);
        CREATE INDEX auth_api_keys_created_at ON auth_api_keys (created_at, id);
        CREATE INDEX auth_api_keys_made_by_key ON auth_api_keys (made_by_key) WHERE made_by_key IS NOT NULL;
        CREATE INDEX auth_api_keys_made_by_user ON auth_api_keys (made_by_user) WHERE made_by_user IS NOT NULL;
        CREATE INDEX auth_api_keys_expires_at ON auth_api_keys (expires_at) WHERE expires_at IS NOT NULL;
      `),
  },
]
