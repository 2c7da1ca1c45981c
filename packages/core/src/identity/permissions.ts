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
  if (!isPermission(wanted)) return false
  const parts = wanted.split(':')
  return grants.some((grant) => covers(grant, wanted, parts) && isPermission(grant))
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
  const [left, right] = [toParts(a), toParts(b)]
  const both = left.flatMap((some) => right.flatMap((others) => meet(some, others) ?? []))
  return [...new Set(both)]
}

function toParts(grants: readonly string[]): string[][] {
  return grants.filter(isPermission).map((grant) => grant.split(':'))
}

/** The widest grant that both cover; `undefined` when nothing is covered by both. */
function meet(a: readonly string[], b: readonly string[]): string | undefined {
  if (isEverything(a)) return b.join(':')
  if (isEverything(b)) return a.join(':')
  if (a.length !== b.length) return undefined
  const parts: string[] = []
  for (const [index, part] of a.entries()) {
    const other = b[index] as string
    if (part !== other && part !== '*' && other !== '*') return undefined
    parts.push(part === '*' ? other : part)
  }
  return parts.join(':')
}

function isEverything(parts: readonly string[]): boolean {
  return parts.length === 1 && parts[0] === '*'
}

function covers(grant: string, wanted: string, parts: readonly string[]): boolean {
  if (grant === '*' || grant === wanted) return true
  // `*` as something wanted is everything, which only `*` covers.
  if (wanted === '*' || !grant.includes('*')) return false
  const has = grant.split(':')
  return has.length === parts.length && has.every((part, index) => part === '*' || part === parts[index])
}
