import type { Migration } from '@sallyport/core'

/** The tables of second factors. Users are named by whatever id their directory gives them. */
export const twoFactorMigrations: readonly Migration[] = [
  {
    name: '0001-create-two-factor',
    up: ({ sql }) =>
      sql(`
        -- Secrets in force. id is that of the set-up they come from, sealed_by the id of the key that seals them.
        CREATE TABLE auth_two_factor (
          user_id text PRIMARY KEY,
          id uuid NOT NULL,
          secret text NOT NULL,
          sealed_by text NOT NULL,
          last_step bigint NOT NULL,
          enabled_at timestamptz NOT NULL
        );
        CREATE INDEX auth_two_factor_sealed_by ON auth_two_factor (sealed_by);
        -- Secrets that were shown and not yet proved.
        CREATE TABLE auth_two_factor_setups (
          user_id text PRIMARY KEY,
          id uuid NOT NULL,
          secret text NOT NULL,
          expires_at timestamptz NOT NULL
        );
        CREATE TABLE auth_two_factor_recovery_codes (
          user_id text NOT NULL,
          digest text NOT NULL,
          PRIMARY KEY (user_id, digest)
        );
        -- One for each tempToken at most.
        CREATE TABLE auth_two_factor_email_codes (
          temp_token_id text PRIMARY KEY,
          user_id text NOT NULL,
          mac text NOT NULL,
          tries integer NOT NULL,
          expires_at timestamptz NOT NULL
        );
        CREATE INDEX auth_two_factor_email_codes_user_id ON auth_two_factor_email_codes (user_id);
      `),
  },
]
