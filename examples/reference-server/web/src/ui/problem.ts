import { PanelProblem } from '../api.js'

/** A field that the page itself refuses, told as the panel would tell it. */
export function invalid(field: string, message: string): PanelProblem {
  return new PanelProblem({
    status: 400,
    error: 'validation_failed',
    detail: message,
    errors: [{ path: `/${field}`, message }],
  })
}

/** The same refusal in words that fit the place, by its code; `field` is marked by it. */
export function reworded(error: unknown, words: Readonly<Record<string, string>>, field?: string): unknown {
  if (!(error instanceof PanelProblem)) return error
  const detail = Object.hasOwn(words, error.error) ? words[error.error] : undefined
  if (detail === undefined) return error
  const { status, error: code, retryAfterSeconds, requestId } = error
  const errors = field === undefined ? error.errors : [{ path: `/${field}`, message: detail }]
  return new PanelProblem({ status, error: code, detail, errors, retryAfterSeconds, requestId })
}

export function isRefused(error: unknown, code: string): error is PanelProblem {
  return error instanceof PanelProblem && error.error === code
}
