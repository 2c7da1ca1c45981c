import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Kernel } from '@sallyport/core'
import pg from 'pg'

/** A host that was there before Sallyport and stays: a web server, and tables of its own. */
export interface Host {
  readonly url: string
  readonly server: Server
  readonly pool: pg.Pool
  /** Lets the kernel have the paths that are its own; gives what takes them back. */
  mount(kernel: Kernel): () => void
  /** Columns, indexes, constraints and rows of the host's tables, and how their values are read. */
  tables(): Promise<unknown>
  close(): Promise<void>
}

const schema = `
CREATE TABLE host_notes (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  written timestamptz NOT NULL DEFAULT '2026-01-02 03:04:05Z',
  day date NOT NULL DEFAULT '2026-01-02',
  price numeric(10, 2) NOT NULL DEFAULT 1.50,
  more jsonb NOT NULL DEFAULT '{"a": [1, 2]}',
  words text[] NOT NULL DEFAULT '{x,y}',
  CHECK (price > 0)
);
CREATE INDEX host_notes_day ON host_notes (day);
CREATE VIEW host_days AS SELECT day, count(*) AS notes FROM host_notes GROUP BY day;
INSERT INTO host_notes DEFAULT VALUES;
`

export async function startHost(databaseUrl: string): Promise<Host> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 0 })
  await pool.query(schema)
  const answer = (_request: IncomingMessage, response: ServerResponse): void => {
    response.end('the host')
  }
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const query = async (text: string): Promise<unknown[]> => (await pool.query(text)).rows
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    pool,
    mount(kernel) {
      const mounted = (incoming: IncomingMessage, response: ServerResponse): void =>
        kernel.handler(incoming, response, () => answer(incoming, response))
      server.off('request', answer)
      server.on('request', mounted)
      server.on('upgrade', kernel.upgrade)
      return () => {
        server.off('upgrade', kernel.upgrade)
        server.off('request', mounted)
        server.on('request', answer)
      }
    },
    async tables() {
      return {
        rows: await query('SELECT * FROM host_notes'),
        days: await query('SELECT * FROM host_days'),
        columns: await query("SELECT * FROM information_schema.columns WHERE table_name LIKE 'host%' ORDER BY 3, 5"),
        indexes: await query("SELECT * FROM pg_indexes WHERE tablename LIKE 'host%' ORDER BY indexname"),
        constraints: await query(`SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
          WHERE conrelid = 'host_notes'::regclass ORDER BY 1`),
        others: await query('SELECT tgname FROM pg_trigger WHERE NOT tgisinternal'),
        settings: await query(`SELECT name, setting FROM pg_settings
          WHERE name IN ('TimeZone', 'statement_timeout', 'search_path', 'client_min_messages')`),
        schemas: await query(`SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`),
        extensions: await query('SELECT extname FROM pg_extension ORDER BY 1'),
      }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await pool.end()
    },
  }
}

const agent = new Agent({ keepAlive: false })

export interface Reply {
  readonly status: number
  readonly text: string
}

/** Asks without anything that stays, as `fetch` has it. */
export async function ask(url: string, token?: string, body?: unknown): Promise<Reply> {
  const response = await begin(url, token, body)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode ?? 0, text }
}

/** The answer as soon as it has begun. */
export async function begin(url: string, token?: string, body?: unknown): Promise<IncomingMessage> {
  const outgoing = request(url, {
    agent,
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
  })
  outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}
