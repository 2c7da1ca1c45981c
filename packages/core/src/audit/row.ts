import type { AuditRecord } from './audit.js'

/** A record as the table has it. */
export interface AuditRow {
  readonly action: string
  readonly actor_kind: string | null
  readonly actor_id: string | null
  readonly actor_name: string | null
  readonly target_type: string | null
  readonly target_id: string | null
  readonly ip: string | null
  readonly request_id: string | null
  /** Written as JSON text; read as what it says. */
  readonly data: unknown
}

/** Longest text of a column, in UTF-16 units; the rest is cut off. */
const maxTextLength = 300
/** Largest `data`, in bytes of JSON; what is larger is left out and said to be. */
const maxDataBytes = 16 * 1024

/** Gives the row of a record, within bounds and without what Postgres cannot hold. */
export function toAuditRow({ action, actor, target, ip, requestId, data }: AuditRecord): AuditRow {
  const principal = actor === 'system' ? { kind: 'system', id: 'system' } : actor
  return {
    action: clip(action) ?? '',
    actor_kind: clip(principal?.kind),
    actor_id: clip(principal?.id),
    actor_name: clip(principal && 'name' in principal ? principal.name : undefined),
    target_type: clip(target?.type),
    target_id: clip(target?.id),
    ip: clip(ip),
    request_id: clip(requestId),
    data: data === undefined ? null : json(data),
  }
}

function clip(value: string | undefined): string | null {
  return value === undefined ? null : value.slice(0, maxTextLength).replaceAll('\0', '\ufffd')
}

function json(data: unknown): string {
  let text: string
  try {
    // jsonb takes neither NUL nor half a surrogate pair, which JSON.stringify writes as escapes.
    text = JSON.stringify(data).replace(/\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g, (written, code: string) =>
      code.length === 1 ? written : '\\ufffd',
    )
  } catch {
    return JSON.stringify({ omitted: 'it is no JSON' })
  }
  const bytes = Buffer.byteLength(text)
  return bytes <= maxDataBytes ? text : JSON.stringify({ omitted: `it takes ${bytes} bytes` })
}
