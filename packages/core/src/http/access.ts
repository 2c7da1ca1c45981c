import { coreErrors } from '../errors.js'
import type { Authentication } from '../identity/authenticator.js'
import { isPermission, permits } from '../identity/permissions.js'
import type { Principal } from '../identity/principal.js'
import type { Access } from './route.js'

const names: ReadonlySet<string> = new Set(['public', 'optional', 'authenticated'])
/** Kinds of principal that a route is for unless it names others. */
const personal: readonly Principal['kind'][] = ['user', 'apiKey']

/**
 * Decides whether a request may pass.
 * @returns the principal, if there is one
 * @throws what the authentication was refused with, `CORE_ERR_UNAUTHENTICATED` (401), `CORE_ERR_FORBIDDEN` or
 *   `CORE_ERR_PERMISSION_REQUIRED` (403)
 */
export function checkAccess(access: Exclude<Access, 'public'>, authentication: Authentication): Principal | undefined {
  if (authentication.kind === 'refused') throw authentication.error
  if (authentication.kind === 'absent') {
    if (access === 'optional') return undefined
    throw coreErrors.UNAUTHENTICATED()
  }
  const { principal } = authentication
  if (access === 'optional') return principal
  const { kinds = personal, permission } = requirements(access)
  if (!kinds.includes(principal.kind)) throw coreErrors.FORBIDDEN()
  if (permission !== undefined && !permits(principal.permissions, permission)) {
    throw coreErrors.PERMISSION_REQUIRED({ permission })
  }
  return principal
}

/** Whether `access` is one of those that there are: a slip of the pen, where no type checks it, must not open a route. */
export function isAccess(access: unknown): access is Access {
  if (typeof access === 'string') return names.has(access)
  if (typeof access !== 'object' || access === null) return false
  const { kinds, permission } = access as { kinds?: unknown; permission?: unknown }
  if (kinds === undefined && permission === undefined) return false
  if (kinds !== undefined && !Array.isArray(kinds)) return false
  return permission === undefined || (typeof permission === 'string' && isPermission(permission))
}

interface Requirements {
  readonly kinds?: readonly Principal['kind'][]
  readonly permission?: string
}

function requirements(access: Exclude<Access, 'public' | 'optional'>): Requirements {
  return access === 'authenticated' ? {} : access
}
