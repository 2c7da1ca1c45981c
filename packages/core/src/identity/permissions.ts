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

/**
 * The grants that both lists cover, as narrow as the narrower of them: what remains of a key's own permissions when its
 * owner has lost some.
 */
export function intersectPermissions(a: readonly string[], b: readonly string[]): readonly string[] {
  const both = a.flatMap((left) => b.flatMap((right) => meet(left, right) ?? []))
  return [...new Set(both)]
}

/** The widest grant that both cover; `undefined` when nothing is covered by both. */
function meet(a: string, b: string): string | undefined {
  if (!isPermission(a) || !isPermission(b)) return undefined
  if (a === '*') return b
  if (b === '*') return a
  const left = a.split(':')
  const right = b.split(':')
  if (left.length !== right.length) return undefined
  const parts = left.map((part, index) => {
    const other = right[index]
    if (part === '*') return other
    return other === '*' || other === part ? part : undefined
  })
  return parts.includes(undefined) ? undefined : parts.join(':')
}

function covers(grant: string, wanted: string): boolean {
  if (grant === '*') return true
  // `*` as something wanted is everything, which only `*` covers.
  if (wanted === '*') return false
  const has = grant.split(':')
  const wants = wanted.split(':')
  return has.length === wants.length && has.every((part, index) => part === '*' || part === wants[index])
}
