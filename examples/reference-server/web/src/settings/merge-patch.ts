type Json = Readonly<Record<string, unknown>>

/** What makes `after` of `before` as a merge patch (RFC 7396); a field that is `undefined` is left as it is. */
export function mergePatchOf(before: Json, after: Json): Record<string, unknown> {
  const changed = Object.entries(after).flatMap(([name, value]) => {
    const old = before[name]
    if (value === undefined || JSON.stringify(value) === JSON.stringify(old)) return []
    if (!isObject(value) || !isObject(old)) return [[name, value] as const]
    const gone = Object.keys(old).filter((key) => !(key in value))
    return [[name, { ...mergePatchOf(old, value), ...Object.fromEntries(gone.map((key) => [key, null])) }] as const]
  })
  return Object.fromEntries(changed)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
