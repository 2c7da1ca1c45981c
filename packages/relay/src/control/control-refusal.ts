import type { IncomingMessage } from 'node:http'
import { parseProblem, parseRetryAfter, serverTime } from './panel-problem.js'
import { describeStrangeAnswer, type StrangeAnswer } from './strange-answer.js'

/** Why a connection to the panel ended, and with it what to do next. */
export type ControlEnd =
  /** The token is no good: trying again with it is pointless. */
  | { kind: 'refused'; reason: 'bad_token' | 'revoked'; detail: string }
  /** A newer connection of the same device took over. */
  | { kind: 'replaced' }
  /** The panel has tunnels switched off for now. */
  | { kind: 'waiting'; retryAfterMs?: number }
  /** Anything else. `reason` is a snake_case code; `declined`: the panel's answer to `hello`. */
  | { kind: 'lost'; reason: string; detail: string; declined?: boolean; retryAfterMs?: number }

/** An answer to the upgrade that is no upgrade. */
export interface UpgradeAnswer extends StrangeAnswer {
  /** Of the problem document. */
  detail: string
  retryAfterMs?: number
}

const MAX_BODY_BYTES = 16 * 1024

/**
 * Reads the HTTP answer that a panel, or somebody in its place, gave instead of upgrading. The caller bounds the time by destroying `response`.
 */
export async function readUpgradeAnswer(response: IncomingMessage, panel: URL): Promise<ControlEnd> {
  const { headers, statusCode = 0 } = response
  const contentType = headers['content-type'] ?? ''
  const { error, detail } = isJson(contentType) ? parseProblem(await readBody(response)) : { error: '', detail: '' }
  const retryAfterMs = parseRetryAfter(headers['retry-after'], serverTime(headers.date))
  return judgeUpgradeAnswer(
    {
      status: statusCode,
      contentType,
      location: headers.location,
      error,
      detail,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
    panel,
  )
}

export function judgeUpgradeAnswer(answer: UpgradeAnswer, panel: URL): ControlEnd {
  const { status, error, detail, retryAfterMs } = answer
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs }
  const isPanels = error !== ''
  // Only the panel's own word ends an agent: a page in its place may want a sign-in of its own with 401.
  if (status === 401 && isPanels) {
    return { kind: 'refused', reason: 'bad_token', detail: 'the panel does not take the token' }
  }
  if (isPanels && error === 'feature_disabled') return { kind: 'waiting', ...retry }
  const isRouteMissing = status === 404 && error === 'not_found'
  if (isPanels && !isRouteMissing && status >= 400) {
    return { kind: 'lost', reason: error, detail: `HTTP ${status}: ${detail === '' ? error : detail}`, ...retry }
  }
  return { kind: 'lost', ...describeStrangeAnswer(answer, panel), ...retry }
}

/** Problem documents are `application/problem+json` (RFC 9457); a plain `application/json` is taken too. */
export function isJson(contentType: string): boolean {
  return /^application\/([a-z.+-]+\+)?json\b/i.test(contentType)
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length
      if (bytes > MAX_BODY_BYTES) break
      chunks.push(chunk as Buffer)
    }
  } catch {
    return ''
  }
  return bytes > MAX_BODY_BYTES ? '' : Buffer.concat(chunks).toString('utf8')
}
