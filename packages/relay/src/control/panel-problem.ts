/** What is kept of a panel's `application/problem+json` answer (RFC 9457). */
export interface PanelProblem {
  /** The panel's snake_case code, `''` when the answer is no problem document. */
  error: string
  detail: string
}

const MAX_RETRY_AFTER_MS = 3_600_000

/** Reads a problem document from a body that anyone may have sent. Never throws; control characters are dropped, texts are cut. */
export function parseProblem(body: string): PanelProblem {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { error: '', detail: '' }
  }
  if (typeof value !== 'object' || value === null) return { error: '', detail: '' }
  const { error, detail, title } = value as { error?: unknown; detail?: unknown; title?: unknown }
  return {
    error: typeof error === 'string' && /^[a-z0-9_]{1,64}$/.test(error) ? error : '',
    detail: plainText(typeof detail === 'string' ? detail : typeof title === 'string' ? title : ''),
  }
}

/** Text of a stranger made fit for one line of a terminal or log. */
export function plainText(text: string, maxLength: number = 300): string {
  return text
    .slice(0, maxLength * 2)
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .slice(0, maxLength)
    .trim()
}

/**
 * `Retry-After` in milliseconds (seconds or an HTTP date, RFC 9110 section 10.2.3), at most an hour; undefined when absent or nonsense. `now`: by the
 * server's clock when it said its time, since a date is by that one.
 */
export function parseRetryAfter(header: string | null | undefined, now: number = Date.now()): number | undefined {
  if (header === null || header === undefined || header === '') return undefined
  const delayMs = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now
  if (!Number.isFinite(delayMs)) return undefined
  return Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS)
}

/** The server's clock by its `Date` header (RFC 9110 section 6.6.1), milliseconds since the epoch; undefined when absent or nonsense. */
export function serverTime(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || header.length > 64) return undefined
  const time = Date.parse(header)
  return Number.isFinite(time) ? time : undefined
}
