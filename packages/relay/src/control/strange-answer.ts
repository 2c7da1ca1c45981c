import { CONTROL_PATH } from './control.js'
import { plainText } from './panel-problem.js'
import { showPanel } from './panel-url.js'

/** An HTTP answer that a panel did not give, or not one of this version. */
export interface StrangeAnswer {
  status: number
  /** `Content-Type`, `''` without. */
  contentType: string
  location?: string | undefined
  /** The panel's error code out of a problem document, `''` when there was none. */
  error: string
}

/** `reason` is a snake_case code; `detail` completes "… cannot be reached: " and says what to do. */
export interface StrangeAnswerWords {
  reason: 'proxy_credentials' | 'sign_in_required' | 'redirected' | 'panel_too_old' | 'unavailable' | 'not_a_panel'
  detail: string
}

const ROUTES = CONTROL_PATH.slice(0, CONTROL_PATH.lastIndexOf('/') + 1)
const SIGN_IN = 'open a web page in a browser'

/** Says who may have answered in the panel's place: a proxy, the sign-in page of a network, another server, an older panel. */
export function describeStrangeAnswer(answer: StrangeAnswer, panel: URL): StrangeAnswerWords {
  const { status, contentType, error } = answer
  // RFC 9110 section 15.5.8; only a proxy says so, asked or not.
  if (status === 407) {
    const detail = 'the proxy wants credentials (HTTP 407): set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT'
    return { reason: 'proxy_credentials', detail }
  }
  // RFC 6585 section 6.
  if (status === 511) {
    return { reason: 'sign_in_required', detail: `this network wants a sign-in first (HTTP 511): ${SIGN_IN}` }
  }
  if (status >= 300 && status < 400) return { reason: 'redirected', detail: redirectWords(answer.location, panel) }
  if (status === 404 && error === 'not_found') {
    const detail =
      'it has no such route: check the URL; if it is right, it has no tunnels or is too old for this sallyport: update the panel'
    return { reason: 'panel_too_old', detail }
  }
  if (status >= 500) return { reason: 'unavailable', detail: `the panel or its proxy is out of order (HTTP ${status})` }
  const what = `what answers there is no Sallyport panel (HTTP ${status}, ${describeType(contentType)})`
  const hint = isPage(contentType)
    ? `: check the URL; if it is right, this network may want a sign-in first, so ${SIGN_IN}`
    : ': check the URL'
  return { reason: 'not_a_panel', detail: what + hint }
}

function redirectWords(location: string | undefined, panel: URL): string {
  const target = locate(location, panel)
  if (target === undefined) return 'it redirects elsewhere, which is not followed: check the URL'
  const routesAt = target.pathname.indexOf(ROUTES)
  if (routesAt !== -1) {
    const base = new URL(target)
    // Not by resolving: a path of two slashes would be read as a host.
    base.pathname = target.pathname.slice(0, routesAt + 1)
    if (base.href !== panel.href) {
      return `it redirects to ${plainText(showPanel(base))}, which is not followed with a token: enrol with that URL`
    }
  }
  if (target.host === panel.host) return 'it redirects to another of its pages, which is not followed: check the URL'
  const there = plainText(target.host)
  return `it redirects to ${there}, which is not followed: either a sign-in page of this network, so ${SIGN_IN}, or not the panel's URL`
}

function locate(location: string | undefined, panel: URL): URL | undefined {
  if (location === undefined || location.length > 2_048 || !URL.canParse(location, panel.href)) return undefined
  const target = new URL(location, panel)
  target.username = ''
  target.password = ''
  target.search = ''
  target.hash = ''
  return target.protocol === 'https:' || target.protocol === 'http:' ? target : undefined
}

function isPage(contentType: string): boolean {
  return /^(text\/html|application\/xhtml)/i.test(contentType)
}

function describeType(contentType: string): string {
  const type = /^[a-z]+\/[a-z0-9.+-]+/i.exec(contentType)?.[0]
  return type === undefined ? 'no content type' : type.slice(0, 60)
}
