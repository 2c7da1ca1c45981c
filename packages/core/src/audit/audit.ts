import type { Principal } from '../identity/principal.js'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** What happened, for the log. */
export interface AuditRecord {
  /** By custom `<thing>.<what happened>`, such as `device.approved` or `session.refused`. */
  readonly action: string
  /** Who did it; `undefined` for someone unknown, `'system'` for the panel itself. */
  readonly actor?: Principal | 'system' | undefined
  /** What it was done to. */
  readonly target?: { readonly type: string; readonly id: string }
  /** From which address. */
  readonly ip?: string
  readonly requestId?: string
  /** Anything else worth knowing. Never a secret. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** Who did what, from where, when: append-only. */
export interface Audit {
  /** Resolves when it is stored. */
  record(record: AuditRecord): Promise<void>
}

export const Audit: ServiceToken<Audit> = defineService<Audit>('core.audit')
