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
CREATE TABLE roles (
  name text PRIMARY KEY,
  permissions text[] NOT NULL
);
CREATE TABLE accounts (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  email varchar(254) NOT NULL UNIQUE,
  name varchar(100) NOT NULL,
  password_hash varchar(60) NOT NULL,
  role text NOT NULL REFERENCES roles,
  locked boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE servers (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  account_id integer NOT NULL REFERENCES accounts,
  name varchar(100) NOT NULL,
  game varchar(50) NOT NULL,
  port integer NOT NULL,
  restarts integer NOT NULL DEFAULT 0
);
CREATE INDEX servers_account ON servers (account_id);
`

// Everybody's password is `correct horse battery staple`.
const people = `
INSERT INTO roles VALUES ('admin', '{servers.any.view,servers.any.restart}'), ('support', '{servers.any.view}'), ('customer', '{}');
INSERT INTO accounts (email, name, password_hash, role, locked) VALUES
  ('ada@example.com', 'Ada', '$2b$10$ocITugR6F8QY3YDxB.oa7eK42OWeZDqQ61hPNxPOWaEvOwSna.Sa.', 'admin', false),
  ('grace@example.com', 'Grace', '$2b$10$HgeKydxps9ySmHAfZCck1.iDq40M182UNn1dcSGKMU872W4hhWxn2', 'customer', false),
  ('linus@example.com', 'Linus', '$2b$10$oal1mAdiDyJF9Zp3zWp3yegNlqAGilLxyVUzNE4oM3pC.OtvvKLHq', 'customer', false),
  ('mallory@example.com', 'Mallory', '$2b$10$9g3Exm8jLPGzLMPji5TXQuivIGb8TN8srNFUfibOfayn5I05cAbYW', 'customer', true);
INSERT INTO servers (account_id, name, game, port) VALUES
  (2, 'survival', 'Minecraft', 25565), (2, 'islands', 'Terraria', 7777), (3, 'arena', 'Minecraft', 25570);
`

/** Makes the panel's tables where there are none. */
export async function prepareDatabase(): Promise<void> {
  const { rows } = await pool.query("SELECT to_regclass('accounts') AS found")
  if (rows[0].found === null) await pool.query(schema + people)
}
