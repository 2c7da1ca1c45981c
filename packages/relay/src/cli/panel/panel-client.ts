import { createQuerySerializer, defaultPathSerializer } from 'openapi-fetch'
import { isJson } from '../../control/control-refusal.js'
import { describeNetworkError } from '../../control/network-failure.js'
import { parseProblem, parseRetryAfter, serverTime } from '../../control/panel-problem.js'
import { panelRoute, showPanel } from '../../control/panel-url.js'
import { describeStrangeAnswer, type StrangeAnswerWords } from '../../control/strange-answer.js'
import { type HttpAnswer, httpRequest } from './http-request.js'
import type { Answer, Call, Method, Path, Unread } from './panel-calls.js'

export interface PanelClientOptions {
  panel: URL
  /** Sent as `Authorization`, e.g. `Bearer …`. */
  authorization?: string
  /** See `proxyFor`; none: directly. */
  proxy?: URL | undefined
  /** For one request, the answer's body included. */
  timeoutMs?: number
  debug?: (message: string) => void
}

/**
 * `out_of_reach`: no answer, or only a proxy's · `not_a_panel`: something else answers there, or a panel without this route · `unauthorized`: HTTP 401 ·
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

export interface PanelSuccess<T> {
  ok: true
  status: number
  body: Unread<T>
  /** By the panel's clock, milliseconds since the epoch, when it says so: this machine's may be wrong. */
  panelTime?: number
}

export type PanelAnswer<T = unknown> = PanelSuccess<T> | PanelFailure

/**
 * What the command asks of a panel, typed as the client for programs is (`createPanelClient` of `@sallyport/relay/client`). It does not send by that
 * one: Node's `Headers` alone takes 17 ms and 9 MB to load, which an agent would keep for good.
 */
export interface PanelClient {
  readonly panel: URL
  /** Never throws. Redirects are not followed. */
  request<M extends Method, P extends Path<M>>(
    method: M,
    path: P,
    ...call: Record<never, never> extends Call<M, P> ? [Call<M, P>?] : [Call<M, P>]
  ): Promise<PanelAnswer<Answer<M, P>>>
}

/** Any `Call`. */
interface AnyCall {
  params?: { path?: Record<string, unknown>; query?: Record<string, unknown> }
  body?: unknown
  signal?: AbortSignal
}

const DEFAULT_TIMEOUT_MS = 15_000
const MAX_BODY_BYTES = 4 * 1024 * 1024
const TIMED_OUT = { reason: 'timeout', detail: 'no answer in time' } as const
/** What keeps the panel's own answer away and may pass. */
const AWAY: ReadonlySet<StrangeAnswerWords['reason']> = new Set([
  'proxy_credentials',
  'sign_in_required',
  'unavailable',
])
/** Calls of these have no id in them: a 404 says that there is no such route, not that there is no such thing. */
const PLAIN_ROUTES: ReadonlySet<string> = new Set(['/api/tunnel/device/start', '/api/tunnel/allocations'])
const toQuery = createQuerySerializer()
const CLOCK_DIFFERS_MS = 300_000

export function createPanelClient(options: PanelClientOptions): PanelClient {
  const { panel, authorization, proxy, timeoutMs = DEFAULT_TIMEOUT_MS, debug = () => {} } = options

  function sayClock({ date }: HttpAnswer): void {
    const aheadMs = Date.now() - (serverTime(date) ?? Date.now())
    if (Math.abs(aheadMs) < CLOCK_DIFFERS_MS) return
    const minutes = Math.round(Math.abs(aheadMs) / 60_000)
    debug(`this machine's clock is ${minutes} min ${aheadMs > 0 ? 'ahead of' : 'behind'} the panel's`)
  }

  async function request(method: Method, path: string, call: AnyCall = {}): Promise<PanelAnswer<never>> {
    const { params = {}, body, signal } = call
    const route = defaultPathSerializer(path, params.path ?? {})
    const url = panelRoute(panel, route)
    url.search = toQuery(params.query ?? {})
    const shown = `${method.toUpperCase()} ${route}`
    const timeout = AbortSignal.timeout(timeoutMs)
    const payload = body === undefined ? undefined : JSON.stringify(body)
    try {
      const answer = await httpRequest(url, {
        method: method.toUpperCase(),
        headers: {
          accept: 'application/json, application/problem+json',
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(payload === undefined ? {} : { body: payload }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        timeoutMs,
        proxy,
        maxBodyBytes: MAX_BODY_BYTES,
      })
      debug(`${shown}: ${answer.status}`)
      sayClock(answer)
      return judge(answer, panel, path)
    } catch (error) {
      if (signal?.aborted) return { ok: false, kind: 'aborted', error: 'cancelled', detail: 'cancelled' }
      const { reason, detail } = timeout.aborted ? TIMED_OUT : describeNetworkError(error)
      debug(`${shown}: ${reason}`)
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

function judge(answer: HttpAnswer, panel: URL, path: string): PanelAnswer<never> {
  const { status, contentType, retryAfter, location, date, body: text } = answer
  const panelTime = serverTime(date)
  const retryAfterMs = parseRetryAfter(retryAfter, panelTime)
  const rest = { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  const parsed = isJson(contentType) && text !== undefined ? parseJson(text) : undefined
  const problem = status >= 400 && parsed !== undefined ? parseProblem(text ?? '') : { error: '', detail: '' }
  if (status >= 200 && status < 300 && parsed !== undefined) {
    return { ok: true, status, body: parsed.value as Unread<never>, ...(panelTime === undefined ? {} : { panelTime }) }
  }
  const isRouteMissing = status === 404 && PLAIN_ROUTES.has(path)
  if (problem.error === '' || isRouteMissing) {
    const { reason, detail } = describeStrangeAnswer({ status, contentType, location, error: problem.error }, panel)
    const kind = AWAY.has(reason) ? 'out_of_reach' : 'not_a_panel'
    return { ok: false, kind, error: reason, detail: `${showPanel(panel)} is out of reach: ${detail}`, ...rest }
  }
  // Only the panel's own word: a page in its place may want a sign-in of its own with 401.
  if (status === 401) return { ok: false, kind: 'unauthorized', error: problem.error, detail: problem.detail, ...rest }
  if (problem.error === 'feature_disabled') {
    const detail = `tunnels are switched off at ${showPanel(panel)}`
    return { ok: false, kind: 'feature_disabled', error: problem.error, detail, ...rest }
  }
  const detail = problem.detail === '' ? `the panel refused (${problem.error})` : problem.detail
  return { ok: false, kind: 'problem', error: problem.error, detail, ...rest }
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
