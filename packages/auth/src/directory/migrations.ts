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
  {
    name: '0002-create-organisations',
    up: ({ sql }) =>
      sql(`
        ALTER TABLE auth_users ADD COLUMN access_stamp uuid NOT NULL DEFAULT gen_random_uuid();
        CREATE TABLE auth_organisations (
          id uuid PRIMARY KEY,
          name text NOT NULL,
          quotas jsonb,
          created_at timestamptz NOT NULL DEFAULT now(),
          updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX auth_organisations_created_at ON auth_organisations (created_at, id);
        CREATE TABLE auth_memberships (
          organisation_id uuid NOT NULL REFERENCES auth_organisations ON DELETE CASCADE,
          user_id uuid NOT NULL REFERENCES auth_users ON DELETE CASCADE,
          role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
          PRIMARY KEY (organisation_id, user_id)
        );
        CREATE INDEX auth_memberships_user_id ON auth_memberships (user_id);
      `),
  },
]
