import { type SchemaOptions, type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { coreErrors } from '../errors.js'
import { Secret } from './secret.js'

const secretKeyword = 'x-sallyport-secret'

/** Schema of a secret string: the host writes a string or a `Secret`, the plugin gets a `Secret`. */
export function secret(options: SchemaOptions & { minLength?: number } = {}): TUnsafe<Secret> {
  return Type.Unsafe<Secret>({ ...options, type: 'string', [secretKeyword]: true })
}

/** What a host may write for a schema's value: a plain string where the plugin gets a `Secret`, the rest partly. */
export type ConfigInput<T> = T extends Secret
  ? string | Secret
  : T extends readonly (infer Item)[]
    ? readonly ConfigInput<Item>[]
    : T extends (...args: never[]) => unknown
      ? T
      : T extends object
        ? { readonly [Key in keyof T]?: ConfigInput<T[Key]> | undefined }
        : T

/** Reads one plugin's configuration; see `createConfigReader`. */
export type ConfigReader<Config> = (input: unknown) => Config

/** Plugins' schemas are written with TypeBox: to check each against JSON Schema's own takes longer than to compile it. */
const ajvOptions = {
  useDefaults: true,
  allErrors: true,
  strict: false,
  coerceTypes: false,
  meta: false,
  validateSchema: false,
} as const

/**
 * Gives what clones, validates, defaults and freezes a plugin's configuration; the host's object is never kept or changed.
 * The schema is compiled when it is first needed, once for all kernels that the plugin is in.
 * @param owner plugin that the error names
 * @throws `CORE_ERR_CONFIG_INVALID`, when reading, with the path of every field that is wrong, never with a secret's value
 */
export function createConfigReader<Schema extends TSchema>(
  owner: string,
  schema: Schema,
): ConfigReader<Static<Schema>> {
  let validate: ValidateFunction | undefined
  return (input) => {
    const value = clone(input ?? {})
    validate ??= compile(schema)
    if (!validate(value)) {
      const reason = (validate.errors ?? []).map(describe).join('; ')
      throw coreErrors.CONFIG_INVALID({ plugin: owner, reason })
    }
    return freeze(wrapSecrets(schema, value)) as Static<Schema>
  }
}

function compile(schema: TSchema): ValidateFunction {
  return new Ajv(ajvOptions).addKeyword(secretKeyword).compile(schema)
}

function describe({ instancePath, message, params }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.') || 'it'
  const extra = 'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : ''
  return `${path} ${message ?? 'is not valid'}${extra}`
}

/** Plain objects and arrays are copied; anything else (a function, an instance) belongs to the host and is passed on. */
function clone(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal()
  if (Array.isArray(value)) return value.map(clone)
  if (!isPlainObject(value)) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, clone(item)]))
}

function wrapSecrets(schema: TSchema, value: unknown): unknown {
  if (schema[secretKeyword] === true && typeof value === 'string') return new Secret(value)
  if (Array.isArray(value) && schema['items']) {
    return value.map((item) => wrapSecrets(schema['items'] as TSchema, item))
  }
  const properties = schema['properties'] as Record<string, TSchema> | undefined
  if (!properties || !isPlainObject(value)) return value
  const wrapped = Object.entries(value).map(([key, item]) => {
    const property = properties[key]
    return [key, property ? wrapSecrets(property, item) : item]
  })
  return Object.fromEntries(wrapped)
}

function freeze(value: unknown): unknown {
  if (Array.isArray(value) || isPlainObject(value)) {
    for (const item of Object.values(value)) freeze(item)
    Object.freeze(value)
  }
  return value
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
