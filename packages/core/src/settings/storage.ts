import { QueryTypes, type Transaction } from 'sequelize'
import type { Database } from '../database/database.js'
import type { Migration } from '../database/migration.js'

/** A section as the database has it. */
export interface StoredSection {
  readonly section: string
  readonly value: unknown
  /** Counts its changes. */
  readonly revision: number
}

export const settingsMigrations: readonly Migration[] = [
  {
    name: '0001-create-settings',
    up: ({ sql }) =>
      sql(`CREATE TABLE core_settings (
        section text PRIMARY KEY,
        value jsonb NOT NULL,
        revision bigint NOT NULL DEFAULT 1,
        updated_at timestamptz NOT NULL DEFAULT now()
      )`),
  },
]

/** The table `core_settings`. */
export interface SettingsStorage {
  /** Writes a section's first value unless it has one. */
  initialise(section: string, value: unknown): Promise<void>
  read(sections: readonly string[]): Promise<readonly StoredSection[]>
  /** The same, locked until the transaction ends. */
  readLocked(sections: readonly string[], transaction: Transaction): Promise<readonly StoredSection[]>
  /** Gives the new revision. */
  write(section: string, value: unknown, transaction: Transaction): Promise<number>
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
}

export function createSettingsStorage({ sequelize, transaction }: Database): SettingsStorage {
  const read = async (
    sections: readonly string[],
    lock: string,
    options: { transaction?: Transaction },
  ): Promise<readonly StoredSection[]> => {
    const rows = await sequelize.query<{ section: string; value: unknown; revision: string }>(
      `SELECT section, value, revision FROM core_settings WHERE section = ANY($1) ORDER BY section ${lock}`,
      { bind: [sections], type: QueryTypes.SELECT, ...options },
    )
    return rows.map((row) => ({ ...row, revision: Number(row.revision) }))
  }
  return {
    transaction,
    async initialise(section, value) {
      await sequelize.query(
        'INSERT INTO core_settings (section, value) VALUES ($1, $2::jsonb) ON CONFLICT DO NOTHING',
        {
          bind: [section, JSON.stringify(value)],
        },
      )
    },
    read: (sections) => read(sections, '', {}),
    // In one order, so that two changes of the same sections cannot wait for each other.
    readLocked: (sections, transaction) => read(sections, 'FOR UPDATE', { transaction }),
    async write(section, value, transaction) {
      const [row] = await sequelize.query<{ revision: string }>(
        `UPDATE core_settings SET value = $2::jsonb, revision = revision + 1, updated_at = now()
         WHERE section = $1 RETURNING revision`,
        { bind: [section, JSON.stringify(value)], type: QueryTypes.SELECT, transaction },
      )
      return Number(row?.revision)
    },
  }
}
