import type { Migration } from '@sallyport/core'

/** The session strategy's tables. `user_id` is text: the host's own users have ids of any type. */
export const sessionMigrations: readonly Migration[] = [
  {
    name: '0001-create-sessions',
    up: ({ sql }) =>
      sql(`
        CREATE TABLE auth_sessions (
          id uuid PRIMARY KEY,
          user_id text NOT NULL,
          security_stamp text,
          created_at timestamptz NOT NULL,
          authenticated_at timestamptz NOT NULL,
          last_seen_at timestamptz NOT NULL,
          expires_at timestamptz NOT NULL,
          ip text NOT NULL,
          user_agent text
        );
        CREATE INDEX auth_sessions_user_id ON auth_sessions (user_id, last_seen_at);
        CREATE INDEX auth_sessions_expires_at ON auth_sessions (expires_at);
      `),
  },
  {
    name: '0002-add-methods',
    up: ({ sql }) => sql(`ALTER TABLE auth_sessions ADD COLUMN methods text[] NOT NULL DEFAULT '{password}'`),
  },
]
