import { isDeepStrictEqual } from 'node:util'
import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FieldError } from '../kernel/errors.js'
import type { Disposer } from '../kernel/scope.js'
import { isJsonObject } from './merge-patch.js'

type Fields = Readonly<Record<string, unknown>>
type ChangeHandler = (value: never, previous: never) => void

/** One section in force on this instance. */
export interface OpenSection {
  readonly name: string
  readonly schema: TSchema
  /** Frozen. */
  readonly value: Fields
  /** Fields with their defaults, or what is wrong with them; paths begin with the section's name. */
  check(fields: unknown): { readonly value: Fields } | { readonly errors: readonly FieldError[] }
  /** Of what is in the database, what the schema takes; defaults for the rest. */
  accept(stored: unknown): Fields
  /** Puts a value in force unless a newer one is; gives what failed in the handlers that were told. */
  apply(value: Fields, revision: number): readonly unknown[]
  onChange(handler: ChangeHandler): Disposer
}

/** Makes a section, at first with the schema's defaults. */
export function createSection(name: string, schema: TSchema): OpenSection {
  const ajv = new Ajv({
    ...{ useDefaults: true, allErrors: true, strict: false, coerceTypes: false },
    // To check a plugin's schema against JSON Schema's own takes longer than to compile it.
    ...{ meta: false, validateSchema: false },
  })
  const validate = ajv.compile(schema)
  const known = new Set(Object.keys((schema['properties'] as object | undefined) ?? {}))
  const handlers = new Set<{ run: ChangeHandler }>()
  const accept = (stored: unknown): Fields => acceptKnown(stored, known, validate)
  let value = freeze(accept({}))
  let current = 0
  return {
    name,
    schema,
    get value() {
      return value
    },
    check(fields) {
      const unknown = isJsonObject(fields) ? Object.keys(fields).filter((field) => !known.has(field)) : []
      if (unknown.length > 0) return { errors: unknown.map((field) => error(name, `/${field}`, 'is not known')) }
      const copy = structuredClone(fields)
      if (validate(copy)) return { value: copy as Fields }
      return { errors: (validate.errors ?? []).map((found) => error(name, pathOf(found), found.message)) }
    },
    accept,
    apply(next, revision) {
      if (revision <= current) return []
      current = revision
      if (isDeepStrictEqual(next, value)) return []
      const previous = value
      value = freeze(next)
      return [...handlers].flatMap(({ run }) => {
        try {
          run(value as never, previous as never)
          return []
        } catch (failure) {
          return [failure]
        }
      })
    },
    onChange(run) {
      const entry = { run }
      handlers.add(entry)
      return () => void handlers.delete(entry)
    },
  }
}

function acceptKnown(stored: unknown, known: ReadonlySet<string>, validate: ValidateFunction): Fields {
  const entries = Object.entries(isJsonObject(stored) ? stored : {}).filter(([field]) => known.has(field))
  const fields = structuredClone(Object.fromEntries(entries))
  if (validate(fields)) return fields
  const wrong = new Set((validate.errors ?? []).map((found) => pathOf(found).split('/')[1]))
  const right = Object.fromEntries(entries.filter(([field]) => !wrong.has(field)))
  return validate(right) ? right : {}
}

function pathOf({ instancePath, params }: ErrorObject): string {
  const missing = params['additionalProperty'] ?? params['missingProperty']
  return missing === undefined ? instancePath : `${instancePath}/${String(missing)}`
}

function error(section: string, path: string, message = 'is not valid'): FieldError {
  return { path: `/${section}${path}`, message }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) freeze(item)
    Object.freeze(value)
  }
  return value
}
