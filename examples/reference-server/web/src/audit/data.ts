/** A text in an entry's data, which may be anything. */
export function textIn(data: unknown, name: string): string | undefined {
  const value = isObject(data) ? data[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function numberIn(data: unknown, name: string): number | undefined {
  const value = isObject(data) ? data[name] : undefined
  return typeof value === 'number' ? value : undefined
}

/** `quotas.allocationsPerUser = 20, features.tunnels = false`. */
export function flattened(value: unknown, path = ''): string {
  if (!isObject(value)) return `${path} = ${JSON.stringify(value)}`
  return Object.entries(value)
    .map(([name, inner]) => flattened(inner, path === '' ? name : `${path}.${name}`))
    .join(', ')
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
