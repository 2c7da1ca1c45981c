import type { ErrorObject } from 'ajv'
import type { FieldError } from '../kernel/errors.js'
import { escapePointer } from './text-safety.js'

/** Fields that are told of one refused request. */
const maxFieldErrors = 50

/** Says of each refused field once what is wrong with it. */
export function fieldErrors(errors: readonly ErrorObject[]): readonly FieldError[] {
  const byPath = new Map<string, string>()
  for (const error of withoutNoise(errors)) {
    const { path, message } = describe(error)
    if (!byPath.has(path) && byPath.size < maxFieldErrors) byPath.set(path, message)
  }
  return [...byPath].map(([path, message]) => ({ path, message }))
}

/**
 * What the branches of a union say is noise beside the union's own error; unless one branch alone is of the value's type:
 * then that is what was meant, and the union's error is the noise.
 */
function withoutNoise(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const hidden = new Set<ErrorObject>()
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const branches = new Map<string, ErrorObject[]>()
    for (const error of errors) {
      if (!error.schemaPath.startsWith(`${union.schemaPath}/`)) continue
      const branch = error.schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0] ?? ''
      branches.set(branch, [...(branches.get(branch) ?? []), error])
    }
    const isOfType = (branch: readonly ErrorObject[]): boolean =>
      !branch.some(({ keyword, instancePath }) => instancePath === union.instancePath && keyword === 'type')
    const meant = [...branches.values()].filter(isOfType)
    const isBelow = meant[0]?.every(({ instancePath }) => instancePath !== union.instancePath)
    if (meant.length === 1 && isBelow) hidden.add(union)
    for (const branch of branches.values()) {
      if (!hidden.has(union) || branch !== meant[0]) for (const error of branch) hidden.add(error)
    }
  }
  return errors.filter((error) => !hidden.has(error))
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
