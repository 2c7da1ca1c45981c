import { Type } from '@sinclair/typebox'
import type { Http } from '../http/http.js'
import type { AuditStorage, StoredAuditRow } from './storage.js'

const maxLimit = 200
const defaultLimit = 50

const id = Type.String({ minLength: 1, maxLength: 300 })
const nullable = (schema: ReturnType<typeof Type.String | typeof Type.Object>) => Type.Union([schema, Type.Null()])

const query = Type.Object(
  {
    limit: Type.Integer({ default: defaultLimit, minimum: 1, maximum: maxLimit }),
    before: Type.Optional(Type.String({ pattern: '^[0-9]{1,18}$', description: '`next` of the answer before' })),
    action: Type.Optional(id),
    actor: Type.Optional({ ...id, description: 'Id of who did it' }),
    target: Type.Optional({ ...id, description: 'Id of what it was done to' }),
  },
  { additionalProperties: false },
)

const entry = Type.Object(
  {
    id: Type.String(),
    at: Type.String({ format: 'date-time' }),
    action: Type.String(),
    actor: nullable(Type.Object({ kind: Type.String(), id: Type.String(), name: nullable(Type.String()) })),
    target: nullable(Type.Object({ type: Type.String(), id: Type.String() })),
    ip: nullable(Type.String()),
    requestId: nullable(Type.String()),
    data: Type.Unknown(),
  },
  { $id: 'AuditEntry' },
)
const answer = Type.Object({ entries: Type.Array(entry), next: nullable(Type.String()) })

/** `GET /api/audit`. */
export function addAuditRoutes(http: Http, storage: AuditStorage): void {
  http.route({
    method: 'GET',
    url: '/api/audit',
    access: { permission: 'audit:read' },
    summary: 'Who did what, from where, when; newest first',
    tag: 'Audit',
    query,
    response: { 200: answer },
    async handler({ query: { limit, ...filter } }) {
      // One more than asked for tells whether there is a next page.
      const rows = await storage.list(filter, limit + 1)
      const page = rows.slice(0, limit)
      return { entries: page.map(toEntry), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
    },
  })
}

function toEntry(row: StoredAuditRow): unknown {
  const { actor_kind: kind, actor_id: actorId, actor_name: name, target_type: type, target_id: targetId } = row
  return {
    id: row.id,
    at: row.at.toISOString(),
    action: row.action,
    actor: kind === null ? null : { kind, id: actorId, name },
    target: type === null ? null : { type, id: targetId },
    ip: row.ip,
    requestId: row.request_id,
    data: row.data,
  }
}
