import type { IncomingMessage } from 'node:http'
import { type PanelProblem, parseProblem, parseRetryAfter } from './panel-problem.js'

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

const MAX_BODY_BYTES = 16 * 1024

/** Reads the HTTP answer that a panel gave instead of upgrading. The caller bounds the time by destroying `response`. */
export async function readUpgradeAnswer(response: IncomingMessage): Promise<ControlEnd> {
  return judgeUpgradeAnswer(
    response.statusCode ?? 0,
    parseProblem(await readBody(response)),
    parseRetryAfter(response.headers['retry-after']),
  )
}

export function judgeUpgradeAnswer(status: number, problem: PanelProblem, retryAfterMs?: number): ControlEnd {
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 401) return { kind: 'refused', reason: 'bad_token', detail: 'the panel does not take the token' }
  if (problem.error === 'feature_disabled') return { kind: 'waiting', ...retry }
  if (status >= 300 && status < 400) {
    return {
      kind: 'lost',
      reason: 'redirected',
      detail: 'the panel redirects elsewhere; redirects are not followed with a token, enrol with the new URL',
      ...retry,
    }
  }
  if (problem.error === '') {
    const detail =
      status >= 500 ? `the panel is out of order (HTTP ${status})` : `this is no Sallyport panel (HTTP ${status})`
    return { kind: 'lost', reason: status >= 500 ? 'unavailable' : 'not_a_panel', detail, ...retry }
  }
  const words = problem.detail === '' ? problem.error : problem.detail
  return { kind: 'lost', reason: problem.error, detail: `HTTP ${status}: ${words}`, ...retry }
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
