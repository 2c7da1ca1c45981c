/** Why a connection could not be made, as a code to branch on and words for people. */
export interface NetworkFailure {
  reason: 'dns' | 'timeout' | 'tls' | 'unreachable'
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

const CERTIFICATE = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'CERT_REVOKED',
  'HOSTNAME_MISMATCH',
])

/** Puts an error of node's sockets or TLS into words. Messages of unknown errors are not repeated: they may quote a request. */
export function describeNetworkError(error: unknown): NetworkFailure {
  const codes = errorCodes(error)
  for (const code of codes) {
    if (code === 'ENOTFOUND') return { reason: 'dns', detail: 'the host name is not known (DNS)' }
    if (code === 'EAI_AGAIN') return { reason: 'dns', detail: 'the name server did not answer (DNS)' }
    if (code.startsWith('EAI_')) return { reason: 'dns', detail: 'the host name could not be looked up (DNS)' }
    if (CERTIFICATE.has(code) || code.startsWith('ERR_TLS_CERT')) {
      return { reason: 'tls', detail: `its certificate is not trusted (${code})` }
    }
    if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO') {
      return { reason: 'tls', detail: `no TLS connection could be made (${code})` }
    }
    if (TIMEOUT.has(code)) return { reason: 'timeout', detail: 'no answer in time' }
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
