import { OptionalKind, type TSchema } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { fieldErrors } from './field-errors.js'
import { readText } from './read-text.js'
import { assertTextSafe, type RequestPart, validationFailed } from './text-safety.js'

/** Gives a part of a request as its schema says; throws `CORE_ERR_VALIDATION_FAILED` (400). */
export type Validate = (value: unknown) => unknown

/** Makes validators; one for each kernel, since it keeps what it has compiled. */
export interface Validation {
  validator(part: RequestPart, schema: TSchema | undefined): Validate
}

/** Bodies with more values than this are told only their first error: each costs memory. */
const maxValuesForAllErrors = 1_000

export function createValidation(): Validation {
  // To check a plugin's schema against JSON Schema's own takes longer than to compile it.
  const trusting = { meta: false, validateSchema: false } as const
  const options = {
    ...trusting,
    strict: false,
    useDefaults: true,
    coerceTypes: false,
    verbose: true,
    formats: fullFormats,
  } as const
  const every = new Ajv({ ...options, allErrors: true })
  const first = new Ajv({ ...options, allErrors: false })

  return {
    validator(part, schema) {
      if (schema === undefined) return (value) => (isEmpty(value) ? value : safe(part, value))
      // Compiled when first needed: a panel has many routes and starts often.
      const compiled = lazily(() => every.compile(schema))
      const compiledFirst = lazily(() => first.compile(schema))
      const optional = OptionalKind in schema
      return (given) => {
        const absent = part === 'body' && given === undefined
        if (absent && !optional) throw validationFailed(part, [{ path: '', message: 'is required' }])
        const value = part !== 'body' ? readText(schema, given) : absent ? {} : given
        const count = assertTextSafe(part, value)
        const validate: ValidateFunction = count > maxValuesForAllErrors ? compiledFirst() : compiled()
        if (validate(value)) return value
        throw validationFailed(part, fieldErrors(validate.errors ?? []))
      }
    },
  }
}

function safe(part: RequestPart, value: unknown): unknown {
  assertTextSafe(part, value)
  return value
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
