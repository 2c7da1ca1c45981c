import { ProxyError } from '../proxy/proxy-error.js'
import { describeProxyError } from './proxy-failure.js'

/** Why a connection could not be made, as a code to branch on and words for people. */
export interface NetworkFailure {
  reason: 'dns' | 'timeout' | 'tls' | 'unreachable' | 'proxy_credentials' | 'proxy_refused' | 'proxy_unreachable'
  detail: string
}

const UNREACHABLE = new Map<string, string>([
  ['ECONNREFUSED', 'nothing listens there (connection refused)'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed by the other side'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'the network is unreachable'],
  ['EADDRNOTAVAIL', 'the address is not available from here'],
])

const TIMEOUT = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT'])

/** Nobody whom this machine trusts vouches for the certificate. */
const UNKNOWN_ISSUER = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
])

const OTHER_NAME = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'])

/** Most likely not even TLS is spoken there; EPROTO stands for any of OpenSSL's complaints. */
const NO_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'EPROTO',
])

/** Puts an error of node's sockets or TLS into words. Messages of unknown errors are not repeated: they may quote a request. */
export function describeNetworkError(error: unknown, now: number = Date.now()): NetworkFailure {
  if (error instanceof ProxyError) return describeProxyError(error, describeNetworkError(error.cause, now))
  const codes = errorCodes(error)
  for (const code of codes) {
    if (code === 'ENOTFOUND') return { reason: 'dns', detail: 'the host name is not known (DNS)' }
    if (code === 'EAI_AGAIN') return { reason: 'dns', detail: 'the name server did not answer (DNS)' }
    if (code.startsWith('EAI_')) return { reason: 'dns', detail: 'the host name could not be looked up (DNS)' }
    const tls = describeTlsError(code, now)
    if (tls !== undefined) return { reason: 'tls', detail: tls }
    if (TIMEOUT.has(code)) return { reason: 'timeout', detail: 'no answer in time' }
    // Of Node's HTTP parser.
    if (code.startsWith('HPE_')) {
      const detail = `it seems to speak no HTTP (${code}): check the URL, http or https and the port`
      return { reason: 'unreachable', detail }
    }
  }
  for (const code of codes) {
    const words = UNREACHABLE.get(code)
    if (words !== undefined) return { reason: 'unreachable', detail: words }
  }
  const code = codes[0]
  return {
    reason: 'unreachable',
    detail: code === undefined ? 'the connection failed' : `the connection failed (${code})`,
  }
}

function describeTlsError(code: string, now: number): string | undefined {
  if (code === 'CERT_NOT_YET_VALID') return `its certificate is not valid yet (${code}): ${clockWords(now)}`
  if (code === 'CERT_HAS_EXPIRED') {
    return `its certificate has expired (${code}): ${clockWords(now)}; if it is right, the certificate must be renewed there`
  }
  if (OTHER_NAME.has(code)) return `its certificate is for another name (${code}): ${STRANGER}`
  if (UNKNOWN_ISSUER.has(code)) {
    return `its certificate is not trusted (${code}): ${STRANGER}; for an authority of your own set NODE_EXTRA_CA_CERTS to its file`
  }
  if (code === 'CERT_REVOKED') return `its certificate was revoked (${code})`
  if (NO_TLS.has(code)) return `it seems to speak no TLS (${code}): check the URL, http or https and the port`
  if (/^(ERR_SSL_|ERR_TLS_|CERT_)/.test(code)) return `no TLS connection could be made (${code})`
  return undefined
}

/** For whoever is refused because of a date. */
export function clockWords(now: number): string {
  return `check this machine's clock, it says ${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

const STRANGER = 'check the URL; if it is right, this network may want a sign-in first, so open a web page in a browser'

/** The codes of an error, of its causes and of the errors it gathers, outermost first; bounded against cycles. */
function errorCodes(error: unknown): string[] {
  const codes: string[] = []
  const open: unknown[] = [error]
  for (let seen = 0; seen < 16 && open.length > 0; seen += 1) {
    const current = open.shift()
    if (typeof current !== 'object' || current === null) continue
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown }
    if (typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code)) codes.push(code)
    if (cause !== undefined) open.push(cause)
    if (Array.isArray(errors)) open.push(...errors.slice(0, 8))
  }
  return codes
}
