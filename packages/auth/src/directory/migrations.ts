import type { Migration } from '@sallyport/core'

/** The built-in directory's tables. */
export const directoryMigrations: readonly Migration[] = [
  {
    name: '0001-create-users',
    up: ({ sql }) =>
      sql(`
        CREATE TABLE auth_users (
          id uuid PRIMARY KEY,
          email text NOT NULL,
          email_normalised text NOT NULL UNIQUE,
          name text,
          password_hash text NOT NULL,
          permissions text[] NOT NULL,
          suspended boolean NOT NULL,
          security_stamp uuid NOT NULL,
          quotas jsonb,
          created_at timestamptz NOT NULL,
          updated_at timestamptz NOT NULL
        );
        CREATE INDEX auth_users_created_at ON auth_users (created_at, id);
      `),
  },
]
