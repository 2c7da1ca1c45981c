import type { Pool } from 'pg'

/** Columns, indexes and constraints of tables, and their rows. */
export async function readTables(pool: Pool, tables: readonly string[]): Promise<Record<string, unknown>> {
  const query = async (text: string, values: readonly unknown[] = [tables]): Promise<unknown[]> =>
    (await pool.query(text, [...values])).rows
  const rows = await Promise.all(
    tables.map(async (name) => [name, await query(`SELECT * FROM ${name} ORDER BY 1`, [])]),
  )
  return {
    columns: await query(
      'SELECT * FROM information_schema.columns WHERE table_name = ANY($1) ORDER BY table_name, column_name',
    ),
    indexes: await query('SELECT * FROM pg_indexes WHERE tablename = ANY($1) ORDER BY indexname'),
    triggers: await query('SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY($1)'),
    constraints: await query(
      'SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid::regclass::text = ANY($1) ORDER BY 1',
    ),
    rows: Object.fromEntries(rows),
  }
}

/** Names of all tables but these. */
export async function otherTables(pool: Pool, tables: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_name <> ALL($1) ORDER BY 1`,
    [tables],
  )
  return rows.map(({ name }) => name)
}
