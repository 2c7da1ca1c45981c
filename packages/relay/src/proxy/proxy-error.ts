/**
 * Why an HTTP proxy gave no way. `ERR_PROXY_UNREACHABLE`: itself could not be reached, `cause` says why; `ERR_PROXY_TIMEOUT`: it, or who
 * is behind it, did not answer in time; `ERR_PROXY_AUTHENTICATION`: it wants other credentials (407; some say 401);
 * `ERR_PROXY_REFUSED`: it does not let through (another 4xx); `ERR_PROXY_UPSTREAM`: it cannot reach the other side itself (5xx);
 * `ERR_PROXY_PROTOCOL`: it is no HTTP proxy.
 */
export type ProxyErrorCode =
  | 'ERR_PROXY_UNREACHABLE'
  | 'ERR_PROXY_TIMEOUT'
  | 'ERR_PROXY_AUTHENTICATION'
  | 'ERR_PROXY_REFUSED'
  | 'ERR_PROXY_UPSTREAM'
  | 'ERR_PROXY_PROTOCOL'

/** What is said holds no credentials. */
export class ProxyError extends Error {
  readonly code: ProxyErrorCode
  /** host:port of the proxy. */
  readonly proxy: string
  /** Of its answer. */
  readonly status: number | undefined

  constructor(code: ProxyErrorCode, proxy: URL, more: { status?: number; cause?: unknown } = {}) {
    const status = more.status === undefined ? '' : ` (HTTP ${more.status})`
    super(`${code}: ${proxy.host}${status}`, more.cause === undefined ? {} : { cause: more.cause })
    this.name = 'ProxyError'
    this.code = code
    this.proxy = proxy.host
    this.status = more.status
  }
}

export function refusedBy(proxy: URL, status: number): ProxyError {
  if (status === 407 || status === 401) return new ProxyError('ERR_PROXY_AUTHENTICATION', proxy, { status })
  if (status >= 400 && status < 500) return new ProxyError('ERR_PROXY_REFUSED', proxy, { status })
  if (status >= 500) return new ProxyError('ERR_PROXY_UPSTREAM', proxy, { status })
  return new ProxyError('ERR_PROXY_PROTOCOL', proxy, { status })
}
