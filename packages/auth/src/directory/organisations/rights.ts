import { coreErrors, type Principal, permits } from '@sallyport/core'
import { authErrors } from '../../errors.js'
import { isUuid } from '../../uuid.js'
import type { Role } from './organisation-view.js'

/** What somebody may do with one organisation. */
export interface Rights {
  /** Sees it and its members; without, it is not there for them. */
  readonly sees: boolean
  /** Changes its name and its members. */
  readonly manages: boolean
  /** Besides, makes and removes owners, and deletes it. */
  readonly owns: boolean
}

/**
 * The rights of `by`, whose present role it is. An API key has no role: it has its permissions and nothing of what its
 * owner may do as a member.
 */
export function rightsOf(by: Principal, role: Role | undefined): Rights {
  const writes = permits(by.permissions, 'organisations:write')
  const owns = writes || role === 'owner'
  const manages = owns || role === 'admin'
  return { owns, manages, sees: manages || role !== undefined || permits(by.permissions, 'organisations:read') }
}

/** Whose role counts: a person's own, and nobody's for another kind of credential. */
export function roleHolder(by: Principal): string | undefined {
  return by.kind === 'user' && isUuid(by.id) ? by.id : undefined
}

/**
 * @throws `CORE_ERR_NOT_FOUND` for an organisation that `by` may not know of, `CORE_ERR_FORBIDDEN` for one that they see
 * and no more
 */
export function assertRight({ sees, ...rights }: Rights, right: 'manages' | 'owns'): void {
  if (!sees) throw coreErrors.NOT_FOUND()
  if (!rights[right]) throw coreErrors.FORBIDDEN()
}

/** An admin makes and removes no owner. @throws `AUTH_ERR_ROLE_EXCEEDED` */
export function assertMayGive({ owns }: Rights, ...roles: readonly (Role | undefined)[]): void {
  if (!owns && roles.includes('owner')) throw authErrors.ROLE_EXCEEDED()
}
