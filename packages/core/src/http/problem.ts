import { STATUS_CODES } from 'node:http'
import type { FieldError, SallyportError } from '../kernel/errors.js'

/** Body of every error answer (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly error: string
  readonly requestId: string
  readonly errors?: readonly FieldError[]
}

export interface ProblemAnswer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

export const problemType = 'application/problem+json; charset=utf-8'

/** `Retry-After` of an error that names none, in seconds. */
const defaultRetryAfter: Readonly<Record<number, number>> = { 429: 1, 503: 5 }

/**
 * Renders an error for a client; what its catalogue does not expose stays inside.
 * @param challenge value of `WWW-Authenticate`, which every 401 carries (RFC 9110 section 15.5.2)
 */
export function renderProblem(error: SallyportError, requestId: string, challenge: string): ProblemAnswer {
  const { status } = error
  const title = STATUS_CODES[status] ?? 'Error'
  const retryAfter = error.retryAfter ?? defaultRetryAfter[status]
  // The codes of unexpected faults tell about the inside; 500 is 500.
  const code = error.expose || status !== 500 ? error.error : 'internal_error'
  const problem: Problem = {
    type: `urn:sallyport:error:${code}`,
    title,
    status,
    detail: error.expose ? error.message : status === 503 ? 'A part is not available' : 'Something went wrong',
    error: code,
    requestId,
    ...(error.expose && error.errors ? { errors: error.errors } : {}),
  }
  const headers = {
    ...(status === 401 ? { 'www-authenticate': challenge } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
    ...error.headers,
  }
  return { problem, headers }
}
