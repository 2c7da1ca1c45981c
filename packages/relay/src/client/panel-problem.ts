import { parseRetryAfter, plainText, serverTime } from '../control/panel-problem.js'

/** A field of a request that the panel refused. */
export interface FieldProblem {
  /** RFC 6901 pointer to it, such as `/localPort`. */
  readonly path: string
  readonly message: string
}

/**
 * Codes of this client's own, for what is no answer of the panel: `network` (none came), `timeout`, `aborted` (by the caller's signal), `unavailable`
 * (a proxy or the panel is out of order), `redirected` (which is not followed), `bad_answer` (something else answered).
 */
export type ClientProblemCode = 'network' | 'timeout' | 'aborted' | 'unavailable' | 'redirected' | 'bad_answer'

interface ProblemFields {
  readonly status: number
  readonly error: string
  readonly detail: string
  readonly errors?: readonly FieldProblem[]
  readonly retryAfterSeconds?: number | undefined
  readonly requestId?: string | undefined
}

const MAX_FIELDS = 100
const DETAILS: Readonly<Record<ClientProblemCode, string>> = {
  network: 'The panel is out of reach',
  timeout: 'The panel did not answer in time',
  aborted: 'Cancelled',
  unavailable: 'The panel or its proxy is out of order',
  redirected: 'Something on the way redirects to another place',
  bad_answer: 'What answered is no Sallyport panel',
}

/**
 * Why a request came to nothing. `message` is one line for people; neither it nor any field repeats what was sent, or what a stranger answered.
 */
export class PanelProblem extends Error {
  /** HTTP status; 0 when there was no answer that could be read. */
  readonly status: number
  /** The panel's snake_case code, to branch on, or one of `ClientProblemCode`. */
  readonly error: string
  /** For people, in one line. */
  readonly detail: string
  /** The refused fields; empty when the refusal is about none. */
  readonly errors: readonly FieldProblem[]
  /** When it is worth trying again, in seconds, at most an hour; undefined when the panel says nothing of it. */
  readonly retryAfterSeconds: number | undefined
  /** Under which the panel has logged the request. */
  readonly requestId: string | undefined

  constructor({ status, error, detail, errors = [], retryAfterSeconds, requestId }: ProblemFields) {
    super(detail)
    this.name = 'PanelProblem'
    this.status = status
    this.error = error
    this.detail = detail
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
    this.requestId = requestId
  }
}

/** Of an answer that is no success; `body` is its JSON or its text. Never throws. */
export function problemOfAnswer(response: Response, body: unknown): PanelProblem {
  const { status, headers, type } = response
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), serverTime(headers.get('date')))
  const retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1_000)
  const document = fieldsOf(body)
  const error = document['error']
  if (status < 400 || typeof error !== 'string' || !/^[a-z0-9_]{1,64}$/.test(error)) {
    // A browser shows nothing of a redirect that it does not follow.
    const isRedirect = type === 'opaqueredirect' || (status >= 300 && status < 400)
    const code = isRedirect ? 'redirected' : status >= 500 ? 'unavailable' : 'bad_answer'
    const detail = status === 0 ? DETAILS[code] : `${DETAILS[code]} (HTTP ${status})`
    return new PanelProblem({ status, error: code, detail, retryAfterSeconds })
  }
  const { detail, title, errors, requestId } = document
  return new PanelProblem({
    status,
    error,
    detail: textOf(detail) || textOf(title) || `The panel refused (${error})`,
    errors: Array.isArray(errors) ? errors.slice(0, MAX_FIELDS).flatMap(readField) : [],
    retryAfterSeconds,
    requestId: typeof requestId === 'string' && /^[\x21-\x7e]{1,128}$/.test(requestId) ? requestId : undefined,
  })
}

/** Of what a request was rejected with. Its own message is not repeated: it may quote an address or a body. Never throws. */
export function problemOfFailure(failure: unknown): PanelProblem {
  if (failure instanceof PanelProblem) return failure
  const { name } = fieldsOf(failure)
  if (name === 'AbortError') return ownProblem('aborted')
  if (name === 'TimeoutError') return ownProblem('timeout')
  return ownProblem(name === 'SyntaxError' ? 'bad_answer' : 'network')
}

export function ownProblem(error: ClientProblemCode): PanelProblem {
  return new PanelProblem({ status: 0, error, detail: DETAILS[error] })
}

function readField(value: unknown): FieldProblem[] {
  const { path, message } = fieldsOf(value)
  return typeof path === 'string' && typeof message === 'string'
    ? [{ path: plainText(path), message: plainText(message) }]
    : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? plainText(value) : ''
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
