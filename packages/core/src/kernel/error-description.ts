/** Causes of an error that are told. */
const maxCauses = 4

interface ErrorDescription {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: ErrorDescription
}

/**
 * What may be logged of an error: name, message, code, stack and causes. Its other properties, such as the statement
 * and parameters of a failed query or the headers of a failed call, may carry secrets and are left out.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: 'something that is no Error was thrown' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth === maxCauses ? {} : { cause: describeError(error.cause, depth + 1) }),
  }
}
