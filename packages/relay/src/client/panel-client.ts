import createClient, { type Client } from 'openapi-fetch'
import { parsePanelUrl, showPanel } from '../control/panel-url.js'
import { RelayError } from '../errors.js'
import type { paths } from './openapi.js'
import { ownProblem, problemOfAnswer, problemOfFailure } from './panel-problem.js'

export interface PanelClientOptions {
  /** Such as `https://panel.example.com`, a path prefix is kept. Default: the page's own origin, in a browser. */
  readonly url?: string | URL
  /** In place of the platform's own. Redirects are for it to leave alone (`redirect: 'manual'`). */
  readonly fetch?: (request: Request, options: { readonly signal: AbortSignal }) => Promise<Response>
  /** Sent with each request, such as `{ authorization: 'ApiKey …' }`. A page that is signed in needs none: its cookie goes along. */
  readonly headers?: Readonly<Record<string, string>>
  /** For one request, its answer's body included. Default 30,000. */
  readonly timeoutMs?: number
}

/** Each route of the panel, typed: `panel.GET('/api/tunnel/devices')` gives `{ data }` or `{ error }`, with the `response`. */
export type PanelClient = Client<paths>

const DEFAULT_TIMEOUT_MS = 30_000

/**
 * A client of a panel's API, for browsers and Node. Its methods reject with `PanelProblem` when no answer comes or something else than a panel
 * answers; `unwrap` makes one of a refusal too.
 * @throws RelayError `RELAY_ERR_INVALID_OPTION` for an address that is none, or without one outside a page
 */
export function createPanelClient(options: PanelClientOptions = {}): PanelClient {
  const { headers = {}, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const send = options.fetch ?? ((request, init) => globalThis.fetch(request, init))
  const client = createClient<paths>({
    baseUrl: baseUrlOf(options.url),
    headers,
    // A credential must not go where a proxy sends it.
    redirect: 'manual',
    fetch: async (request) => {
      const timeout = AbortSignal.timeout(timeoutMs)
      try {
        return await send(request, { signal: AbortSignal.any([request.signal, timeout]) })
      } catch (failure) {
        if (request.signal.aborted) throw ownProblem('aborted')
        throw timeout.aborted ? ownProblem('timeout') : problemOfFailure(failure)
      }
    },
  })
  client.use({
    onResponse({ response, options: { parseAs } }) {
      if (!response.ok || parseAs !== 'json' || isJsonOrEmpty(response)) return
      // Nobody reads it, and a connection must not wait for that.
      response.body?.cancel().catch(() => undefined)
      throw problemOfAnswer(response, undefined)
    },
  })
  return client
}

function baseUrlOf(url: string | URL | undefined): string {
  if (url === undefined) {
    if ('location' in globalThis) return ''
    throw new RelayError('RELAY_ERR_INVALID_OPTION', 'a panel client needs a url outside a page')
  }
  const parsed = parsePanelUrl(String(url))
  if (!parsed.ok) throw new RelayError('RELAY_ERR_INVALID_OPTION', parsed.detail)
  return showPanel(parsed.url)
}

/** Not so is a page in the panel's place: a network's sign-in page comes with 200. */
function isJsonOrEmpty({ status, headers }: Response): boolean {
  return status === 204 || /^application\/(\S+\+)?json\b/i.test(headers.get('content-type') ?? '')
}
