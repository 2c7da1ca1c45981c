import type { ErrorObject } from 'ajv'
import type { FieldError } from '../kernel/errors.js'
import { escapePointer } from './text-safety.js'

/** Fields that are told of one refused request. */
const maxFieldErrors = 50

/** Says of each refused field once what is wrong with it. */
export function fieldErrors(errors: readonly ErrorObject[]): readonly FieldError[] {
  // What the branches of a union say is noise beside the union's own error.
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ schemaPath }) => `${schemaPath}/`)
  const told = errors.filter(({ schemaPath }) => !unions.some((union) => schemaPath.startsWith(union)))
  const byPath = new Map<string, string>()
  for (const error of told) {
    const { path, message } = describe(error)
    if (!byPath.has(path) && byPath.size < maxFieldErrors) byPath.set(path, message)
  }
  return [...byPath].map(([path, message]) => ({ path, message }))
}

function describe({ keyword, instancePath, message, params, schema }: ErrorObject): FieldError {
  switch (keyword) {
    case 'required':
      return { path: below(instancePath, params['missingProperty']), message: 'is required' }
    case 'additionalProperties':
      return { path: below(instancePath, params['additionalProperty']), message: 'is not known' }
    case 'const':
      return { path: instancePath, message: `must be ${JSON.stringify(params['allowedValue'])}` }
    case 'anyOf':
      return { path: instancePath, message: describeUnion(schema) }
    default:
      return { path: instancePath, message: message ?? 'is not valid' }
  }
}

function describeUnion(branches: unknown): string {
  const schemas = Array.isArray(branches) ? (branches as Record<string, unknown>[]) : []
  const literals = schemas.map((schema) => schema['const'])
  if (literals.length > 0 && literals.every((literal) => literal !== undefined)) {
    return `must be one of ${literals.map((literal) => JSON.stringify(literal)).join(', ')}`
  }
  const types = schemas.map((schema) => schema['type'])
  if (types.length > 0 && types.every((type) => typeof type === 'string')) return `must be ${types.join(' or ')}`
  return 'has none of the forms that are allowed'
}

function below(path: string, key: unknown): string {
  return `${path}/${escapePointer(String(key))}`
}
