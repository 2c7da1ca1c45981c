import { QueryTypes } from 'sequelize'
import type { Database } from '../database/database.js'
import type { Migration } from '../database/migration.js'
import type { AuditRow } from './row.js'

export const auditMigrations: readonly Migration[] = [
  {
    name: '0001-create-audit',
    up: ({ sql }) =>
      sql(`CREATE TABLE core_audit (
        id bigserial PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        action text NOT NULL,
        actor_kind text,
        actor_id text,
        actor_name text,
        target_type text,
        target_id text,
        ip text,
        request_id text,
        data jsonb
      );
      CREATE INDEX core_audit_at ON core_audit (at);
      CREATE INDEX core_audit_action ON core_audit (action, id);
      CREATE INDEX core_audit_actor ON core_audit (actor_id, id);
      CREATE INDEX core_audit_target ON core_audit (target_id, id)`),
  },
]

export interface AuditFilter {
  readonly action?: string
  /** Id of the actor. */
  readonly actor?: string
  /** Id of the target. */
  readonly target?: string
  /** Only entries older than the one with this id. */
  readonly before?: string
}

export interface StoredAuditRow extends AuditRow {
  readonly id: string
  readonly at: Date
}

/** The table `core_audit`. Rows are added and, when old, removed; never changed. */
export interface AuditStorage {
  add(row: AuditRow): Promise<void>
  /** Newest first. */
  list(filter: AuditFilter, limit: number): Promise<readonly StoredAuditRow[]>
  /** Removes at most `limit` rows that are older than so many days, oldest first; gives how many. */
  removeOld(days: number, limit: number): Promise<number>
}

const columns = 'action, actor_kind, actor_id, actor_name, target_type, target_id, ip, request_id, data'

export function createAuditStorage({ sequelize }: Database): AuditStorage {
  return {
    async add(row) {
      const { action, actor_kind, actor_id, actor_name, target_type, target_id, ip, request_id, data } = row
      await sequelize.query(`INSERT INTO core_audit (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)`, {
        bind: [action, actor_kind, actor_id, actor_name, target_type, target_id, ip, request_id, data],
      })
    },
    list({ action, actor, target, before }, limit) {
      const wanted = Object.entries({ action, actor_id: actor, target_id: target })
      const given = wanted.filter((entry): entry is [string, string] => entry[1] !== undefined)
      const conditions = given.map(([column], index) => `${column} = $${index + 2}`)
      const bind = [limit, ...given.map(([, value]) => value)]
      if (before !== undefined) conditions.push(`id < $${bind.push(before)}::bigint`)
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
      return sequelize.query<StoredAuditRow>(
        `SELECT id, at, ${columns} FROM core_audit ${where} ORDER BY id DESC LIMIT $1`,
        { bind, type: QueryTypes.SELECT },
      )
    },
    async removeOld(days, limit) {
      const rows = await sequelize.query(
        `DELETE FROM core_audit WHERE id IN (
          SELECT id FROM core_audit WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT $2
        ) RETURNING id`,
        { bind: [days, limit], type: QueryTypes.SELECT },
      )
      return rows.length
    },
  }
}
