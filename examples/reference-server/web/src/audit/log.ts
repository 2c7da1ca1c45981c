import type { AuditEntry } from '@sallyport/relay/client'
import { useCallback, useRef } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { type Resource, useResource } from '../ui/resource.js'

export const filterNames = ['action', 'actor', 'target'] as const
export type AuditFilter = Readonly<Partial<Record<(typeof filterNames)[number], string>>>

interface Entries {
  /** Newest first. */
  readonly entries: readonly AuditEntry[]
  /** Where the older ones begin; `null`: there are none. */
  readonly next: string | null
}

export interface AuditLog extends Resource<Entries> {
  /** Reads older ones in addition; rejects with why it could not. */
  older(): Promise<void>
}

const limit = 50

/** What matches a filter, by exact names and ids; an empty one restricts nothing. */
export function useAuditLog(filter: AuditFilter): AuditLog {
  const key = JSON.stringify(filter)
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''))
  const read = (before?: string) =>
    unwrap(api.GET('/api/audit', { params: { query: { limit, ...given, ...(before !== undefined && { before }) } } }))
  const resource = useResource(async () => ({ ...(await read()), key }), key)
  const { data, set } = resource
  // What was asked with another filter is not this one's.
  const fitting = data?.key === key ? data : undefined
  const latest = useRef({ fitting, read })
  latest.current = { fitting, read }
  const older = useCallback(async () => {
    const { fitting, read } = latest.current
    if (!fitting?.next) return
    const { entries, next } = await read(fitting.next)
    set((before) =>
      before.next === fitting.next ? { ...before, entries: [...before.entries, ...entries], next } : before,
    )
  }, [set])
  return { ...resource, data: fitting, older }
}
