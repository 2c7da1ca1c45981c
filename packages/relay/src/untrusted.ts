/** The fields of what may be anything, each of any type; none when it is no object. */
export function fieldsOf<T>(value: unknown): { [K in keyof T]?: unknown } {
  return typeof value === 'object' && value !== null ? value : {}
}

/** A safe integer within the bounds, both included. */
export function isInteger(
  value: unknown,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

/** Not empty, and without NUL, which C libraries end a name at. */
export function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength && !value.includes('\0')
}
