import pg from 'pg'

/** A value of a dump and the column that it is from. */
export interface DumpedValue {
  readonly column: string
  readonly value: string
}

/** Every distinct text of every column of every table; bytes, arrays and JSON as texts, and encodings undone and redone. */
export async function dump(databaseUrl: string): Promise<readonly DumpedValue[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    const columns = await client.query<{ schema: string; name: string }>(
      `SELECT DISTINCT table_schema AS schema, table_name AS name FROM information_schema.columns
       WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
    )
    const found = new Map<string, string>()
    for (const { schema, name } of columns.rows) {
      const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${quote(schema)}.${quote(name)}`)
      for (const row of rows) {
        for (const [column, value] of Object.entries(row)) {
          for (const text of new Set(textsOf(value))) if (!found.has(text)) found.set(text, `${name}.${column}`)
        }
      }
    }
    return [...found].map(([value, column]) => ({ value, column }))
  } finally {
    await client.end()
  }
}

function textsOf(value: unknown): string[] {
  if (value === null || value === undefined || value instanceof Date || typeof value === 'boolean') return []
  if (Buffer.isBuffer(value)) return encodings(value)
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (typeof value === 'object') return Object.values(value).flatMap(textsOf)
  const text = String(value)
  const parts = text.split(/[$:.,;|\s]+/).filter((part) => part.length >= 8 && part !== text)
  return [text, ...parts, ...[text, ...parts].flatMap(otherEncodings)]
}

/** Of a text that may be bytes in hexadecimal or base64: the same in other encodings. */
function otherEncodings(text: string): string[] {
  if (text.length < 16) return []
  if (/^[0-9a-f]+$/i.test(text) && text.length % 2 === 0) return encodings(Buffer.from(text, 'hex'))
  if (/^[\w+/-]+=*$/.test(text)) return encodings(Buffer.from(text, 'base64'))
  return []
}

function encodings(bytes: Buffer): string[] {
  return (['hex', 'base64', 'base64url', 'latin1'] as const).map((encoding) => bytes.toString(encoding))
}
