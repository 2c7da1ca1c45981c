/** Longest permission that is looked at, in characters. */
const maxPermissionLength = 200
const permissionPattern = /^(\*|[a-z0-9_-]+(:([a-z0-9_-]+|\*))+|[a-z0-9_-]+)$/i

/** Whether `text` is a permission or grant: parts joined by `:`, each a word or `*`, or `*` alone. */
export function isPermission(text: string): boolean {
  return text.length <= maxPermissionLength && permissionPattern.test(text)
}

/**
 * Whether one of `grants` covers the permission `wanted`. `*` covers everything; otherwise a grant covers permissions
 * of exactly as many parts as it has, and its part `*` covers any one part. So `servers:*` covers `servers:write`,
 * while `servers` does not, and neither `a:*:read` nor `a:*` covers `a:b:write`. What is no permission is covered by
 * nothing and covers nothing.
 */
export function permits(grants: readonly string[], wanted: string): boolean {
  return isPermission(wanted) && grants.some((grant) => isPermission(grant) && covers(grant, wanted))
}

/** Whether every grant in `wanted` is within `grants`: what a holder of `grants` may pass on. */
export function permitsAll(grants: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((grant) => permits(grants, grant))
}

function covers(grant: string, wanted: string): boolean {
  if (grant === '*') return true
  // `*` as something wanted is everything, which only `*` covers.
  if (wanted === '*') return false
  const has = grant.split(':')
  const wants = wanted.split(':')
  return has.length === wants.length && has.every((part, index) => part === '*' || part === wants[index])
}
