import { describeNetworkError } from '../../control/network-failure.js'
import { parseProblem, parseRetryAfter } from '../../control/panel-problem.js'
import { panelRoute, showPanel } from '../../control/panel-url.js'
import { type HttpAnswer, httpRequest } from './http-request.js'

export interface PanelClientOptions {
  panel: URL
  /** Sent as `Authorization`, e.g. `Bearer …`. */
  authorization?: string
  /** For one request, the answer's body included. */
  timeoutMs?: number
  debug?: (message: string) => void
}

/**
 * `out_of_reach`: no answer, or only a proxy's that its panel is down · `not_a_panel`: something else answers there · `unauthorized`: HTTP 401 ·
 * `feature_disabled`: tunnels are switched off · `problem`: any other refusal, its code in `error` · `aborted`: by the caller's signal.
 */
export interface PanelFailure {
  ok: false
  kind: 'out_of_reach' | 'not_a_panel' | 'unauthorized' | 'feature_disabled' | 'problem' | 'aborted'
  status?: number
  error: string
  detail: string
  retryAfterMs?: number
}

export type PanelAnswer = { ok: true; status: number; body: unknown } | PanelFailure

export interface PanelRequest {
  method?: 'GET' | 'POST'
  /** From `/api/…`, without a query. */
  path: string
  query?: Record<string, string>
  body?: unknown
  signal?: AbortSignal
}

export interface PanelClient {
  readonly panel: URL
  /** Never throws. Redirects are not followed. */
  request(request: PanelRequest): Promise<PanelAnswer>
}

const DEFAULT_TIMEOUT_MS = 15_000
const MAX_BODY_BYTES = 4 * 1024 * 1024
const TIMED_OUT = { reason: 'timeout', detail: 'no answer in time' } as const
const PROXY_SAYS_DOWN = new Set([502, 503, 504])

export function createPanelClient(options: PanelClientOptions): PanelClient {
  const { panel, authorization, timeoutMs = DEFAULT_TIMEOUT_MS, debug = () => {} } = options

  async function request({ method = 'GET', path, query, body, signal }: PanelRequest): Promise<PanelAnswer> {
    const url = panelRoute(panel, path)
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value)
    const timeout = AbortSignal.timeout(timeoutMs)
    const payload = body === undefined ? undefined : JSON.stringify(body)
    try {
      const answer = await httpRequest(url, {
        method,
        headers: {
          accept: 'application/json, application/problem+json',
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(payload === undefined ? {} : { body: payload }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        maxBodyBytes: MAX_BODY_BYTES,
      })
      debug(`${method} ${path}: ${answer.status}`)
      return judge(answer, panel)
    } catch (error) {
      if (signal?.aborted) return { ok: false, kind: 'aborted', error: 'cancelled', detail: 'cancelled' }
      const { reason, detail } = timeout.aborted ? TIMED_OUT : describeNetworkError(error)
      debug(`${method} ${path}: ${reason}`)
      return {
        ok: false,
        kind: 'out_of_reach',
        error: reason,
        detail: `${showPanel(panel)} is out of reach: ${detail}`,
      }
    }
  }

  return { panel, request }
}

function judge({ status, contentType, retryAfter, body: text }: HttpAnswer, panel: URL): PanelAnswer {
  const retryAfterMs = parseRetryAfter(retryAfter)
  const rest = { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  if (status >= 300 && status < 400) {
    const detail = `${showPanel(panel)} redirects elsewhere, which is not followed: give the panel's own URL`
    return { ok: false, kind: 'not_a_panel', error: 'redirected', detail, ...rest }
  }
  const json = /^application\/([a-z.+-]+\+)?json\b/i.test(contentType)
  const parsed = json && text !== undefined ? parseJson(text) : undefined
  const problem = status >= 400 && parsed !== undefined ? parseProblem(text ?? '') : { error: '', detail: '' }
  if (status < 300 && parsed !== undefined) return { ok: true, status, body: parsed.value }
  if (status === 401) {
    return { ok: false, kind: 'unauthorized', error: problem.error || 'unauthorized', detail: problem.detail, ...rest }
  }
  if (problem.error === 'feature_disabled') {
    const detail = `tunnels are switched off at ${showPanel(panel)}`
    return { ok: false, kind: 'feature_disabled', error: problem.error, detail, ...rest }
  }
  if (problem.error !== '') {
    const detail = problem.detail === '' ? `the panel refused (${problem.error})` : problem.detail
    return { ok: false, kind: 'problem', error: problem.error, detail, ...rest }
  }
  if (PROXY_SAYS_DOWN.has(status)) {
    const detail = `${showPanel(panel)} is out of reach: its proxy answers HTTP ${status}`
    return { ok: false, kind: 'out_of_reach', error: 'unavailable', detail, ...rest }
  }
  const detail = `what answers at ${showPanel(panel)} is no Sallyport panel (HTTP ${status}, ${describeType(contentType)})`
  return { ok: false, kind: 'not_a_panel', error: 'not_a_panel', detail, ...rest }
}

function describeType(contentType: string): string {
  const type = /^[a-z]+\/[a-z0-9.+-]+/i.exec(contentType)?.[0]
  return type === undefined ? 'no content type' : type.slice(0, 60)
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
