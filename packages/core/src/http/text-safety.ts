import { coreErrors } from '../errors.js'
import type { FieldError } from '../kernel/errors.js'

/** Levels of objects and arrays that a request may nest. */
const maxDepth = 32
/** NUL, which Postgres cannot store, and halves of surrogate pairs, which are no text (RFC 8259 section 8.2). */
const unstorable = /[\0\p{Surrogate}]/u

export type RequestPart = 'body' | 'query' | 'params'

/**
 * Refuses text that is none, anywhere in a parsed value, and nesting without end.
 * @returns how many values there are
 * @throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field
 */
export function assertTextSafe(part: RequestPart, value: unknown): number {
  let count = 0
  const visit = (item: unknown, pointer: string, depth: number): void => {
    count++
    if (typeof item === 'string') {
      if (unstorable.test(item)) throw refusal(part, { path: pointer, message: 'must be text without NUL' })
      return
    }
    if (typeof item !== 'object' || item === null) return
    if (depth === maxDepth) throw refusal(part, { path: '', message: `must not be nested deeper than ${maxDepth}` })
    if (Array.isArray(item)) {
      for (const [index, child] of item.entries()) visit(child, `${pointer}/${index}`, depth + 1)
      return
    }
    for (const [key, child] of Object.entries(item)) {
      if (unstorable.test(key)) throw refusal(part, { path: pointer, message: 'must have field names without NUL' })
      visit(child, `${pointer}/${escapePointer(key)}`, depth + 1)
    }
  }
  visit(value, '', 0)
  return count
}

/** One step of an RFC 6901 pointer. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The error for a part of a request whose fields are refused; names the first. */
export function validationFailed(part: RequestPart, errors: readonly FieldError[]): Error {
  const [first] = errors
  const where = part === 'body' ? first?.path || 'the body' : first?.path.slice(1) || `the ${part}`
  return coreErrors.VALIDATION_FAILED({ reason: `${where} ${first?.message ?? 'is not valid'}` }, { errors })
}

function refusal(part: RequestPart, error: FieldError): Error {
  return validationFailed(part, [error])
}
