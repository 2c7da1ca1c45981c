import { setTimeout as delay } from 'node:timers/promises'
import { Database } from '@sallyport/core'
import type { Test } from 'tap'
import type { Host } from '../../dist/hosts.js'
import { createPanel } from '../../dist/panel.js'
import type { Query } from '../../dist/query.js'

const deadlineMs = 20_000

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly body: any
}

export interface Tables {
  readonly rows: Readonly<Record<string, readonly Record<string, unknown>[]>>
  /** Columns, indexes and constraints. */
  readonly definitions: unknown
}

export interface RunningPanel {
  readonly query: Query
  /** Empties the tables and fills them again. */
  reset(): Promise<void>
  tables(): Promise<Tables>
  login(email: string, password: string): Promise<Answer>
  /** Status of a request with the token. */
  session(token: string): Promise<number>
}

/** Starts a panel for a host's users; it ends with the test. */
export async function startPanel(t: Test, { directory, fixture }: Host, upgrade: boolean): Promise<RunningPanel> {
  const { kernel, query } = createPanel({ directory, fixture }, { upgrade })
  t.teardown(() => kernel.stop())
  const { port } = await kernel.listen()
  const { sequelize } = kernel.get(Database)
  await sequelize.query(fixture.schema)
  const names = fixture.tables.map((table) => `"${table}"`)
  const call = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return { status: response.status, body: await response.json() }
  }
  return {
    query,
    async reset() {
      await sequelize.query(`TRUNCATE ${names.join()} RESTART IDENTITY CASCADE`)
      await sequelize.query(fixture.people)
    },
    async tables() {
      const rows: Record<string, Record<string, unknown>[]> = {}
      for (const table of fixture.tables) rows[table] = await query(`SELECT * FROM "${table}" ORDER BY 1`, [])
      const definitions = [
        await query('SELECT * FROM information_schema.columns WHERE table_name = ANY($1) ORDER BY 3, 5', [
          fixture.tables,
        ]),
        await query('SELECT * FROM pg_indexes WHERE tablename = ANY($1) ORDER BY indexname', [fixture.tables]),
        await query(
          'SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid::regclass::text = ANY($1) ORDER BY 1',
          [fixture.tables.flatMap((table) => [table, `"${table}"`])],
        ),
      ]
      return structuredClone({ rows, definitions })
    },
    login: (email, given) =>
      call('/api/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password: given }),
      }),
    session: async (token) =>
      (await call('/api/auth/session', { headers: { authorization: `Bearer ${token}` } })).status,
  }
}

/** Asks until it is so. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms`)
    await delay(50)
  }
}
