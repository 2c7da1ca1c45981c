import { embeddedPostgres } from '@sallyport/core'
import pg from 'pg'
import { settings } from './settings.js'

// So that the example runs without a server. A panel of your own has nothing but the pool.
const inMemory = settings.databaseUrl === undefined ? await embeddedPostgres({ dataDir: 'memory://' }) : undefined

export const pool: pg.Pool = new pg.Pool(inMemory?.connection ?? { connectionString: settings.databaseUrl })

export async function closeDatabase(): Promise<void> {
  await pool.end()
  await inMemory?.close()
}

const schema = `
CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL UNIQUE,
  display_name text NOT NULL,
  password text NOT NULL,
  banned_at timestamptz
);
CREATE TABLE user_permissions (
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  permission text NOT NULL,
  PRIMARY KEY (user_id, permission)
);
CREATE TABLE consoles (
  name text PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE
);
`

// Everybody's password is `correct horse battery staple`.
const people = `
INSERT INTO users (id, email, display_name, password, banned_at) VALUES
  ('6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0001', 'Ada@example.com', 'Ada', '$2b$10$ocITugR6F8QY3YDxB.oa7eK42OWeZDqQ61hPNxPOWaEvOwSna.Sa.', NULL),
  ('6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0002', 'grace@example.com', 'Grace', '$2b$10$HgeKydxps9ySmHAfZCck1.iDq40M182UNn1dcSGKMU872W4hhWxn2', NULL),
  ('6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0003', 'linus@example.com', 'Linus', '$2b$10$oal1mAdiDyJF9Zp3zWp3yegNlqAGilLxyVUzNE4oM3pC.OtvvKLHq', NULL),
  ('6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0004', 'mallory@example.com', 'Mallory', '$2b$10$9g3Exm8jLPGzLMPji5TXQuivIGb8TN8srNFUfibOfayn5I05cAbYW', '2025-01-01');
INSERT INTO user_permissions VALUES
  ('6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0001', 'all'), ('6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0003', 'write any console');
INSERT INTO consoles VALUES
  ('survival', '6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0002'), ('arena', '6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0003');
`

/** Makes the panel's tables where there are none. */
export async function prepareDatabase(): Promise<void> {
  const { rows } = await pool.query("SELECT to_regclass('users') AS found")
  if (rows[0].found === null) await pool.query(schema + people)
}
