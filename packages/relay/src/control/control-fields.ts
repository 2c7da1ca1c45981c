/** Thrown inside this folder's parsers only: the path of the first field that is not as it must be. Never leaves a parser. */
export class FieldError extends Error {
  readonly field: string

  constructor(field: string) {
    super(`invalid field: ${field}`)
    this.field = field
  }
}

/** Reads one value found at `path`, or throws a FieldError. */
export type Field<T> = (value: unknown, path: string) => T

/** A string of `min` to `max` UTF-16 units without control characters, which have no place in a log line. */
export function text(max: number, pattern?: RegExp, min = 1): Field<string> {
  return (value, path) => {
    if (typeof value !== 'string' || value.length < min || value.length > max) throw new FieldError(path)
    if (/\p{Cc}/u.test(value) || (pattern && !pattern.test(value))) throw new FieldError(path)
    return value
  }
}

/** A safe integer from `min` to `max`, both included. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Field<number> {
  return (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) throw new FieldError(path)
    return value as number
  }
}

/** A finite number from `min` to `max`, both included. */
export function number(min: number, max: number): Field<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !(value >= min && value <= max)) throw new FieldError(path)
    return value
  }
}

export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw new FieldError(path)
  return value
}

export function oneOf<const T extends string>(...values: readonly T[]): Field<T> {
  return (value, path) => {
    if (!values.includes(value as T)) throw new FieldError(path)
    return value as T
  }
}

/** An array of at most `max` items; nothing is read of a longer one. */
export function list<T>(item: Field<T>, max: number): Field<T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > max) throw new FieldError(path)
    return value.map((entry, index) => item(entry, `${path}[${index}]`))
  }
}

/** A plain JSON object. Only own properties are looked at by `own`. */
export function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FieldError(path)
  return value as Record<string, unknown>
}

/** The own property `key` of `object`, read by `field`. */
export function own<T>(object: Record<string, unknown>, key: string, field: Field<T>, path = ''): T {
  return field(Object.hasOwn(object, key) ? object[key] : undefined, path === '' ? key : `${path}.${key}`)
}

/** `{ [key]: value }` when the own property is there, else `{}`: made for spreading an optional field. */
export function optional<K extends string, T>(
  object: Record<string, unknown>,
  key: K,
  field: Field<T>,
  path = '',
): { [P in K]?: T } {
  if (!Object.hasOwn(object, key) || object[key] === undefined) return {}
  return { [key]: own(object, key, field, path) } as { [P in K]?: T }
}
