import type { Migration } from '@sallyport/core'

/** The passkey strategy's tables. `user_id` is text: the host's own users have ids of any type. */
export const passkeyMigrations: readonly Migration[] = [
  {
    name: '0001-create-passkeys',
    up: ({ sql }) =>
      sql(`
        CREATE TABLE auth_passkey_users (
          user_id text PRIMARY KEY,
          handle text NOT NULL UNIQUE
        );
        CREATE TABLE auth_passkeys (
          id uuid PRIMARY KEY,
          user_id text NOT NULL REFERENCES auth_passkey_users ON DELETE CASCADE,
          credential_id text NOT NULL UNIQUE,
          public_key bytea NOT NULL,
          counter bigint NOT NULL,
          transports text[] NOT NULL,
          device_type text NOT NULL,
          backed_up boolean NOT NULL,
          aaguid text NOT NULL,
          name text NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now(),
          last_used_at timestamptz
        );
        CREATE INDEX auth_passkeys_user_id ON auth_passkeys (user_id, created_at);
      `),
  },
]
