import type { ProxyError } from '../proxy/proxy-error.js'
import type { NetworkFailure } from './network-failure.js'

const NAMES = 'HTTPS_PROXY (HTTP_PROXY for an http panel)'

/** Puts what an HTTP proxy did into words that say what to do. `cause`: why it was not reached, if it was not. */
export function describeProxyError({ code, proxy, status }: ProxyError, cause: NetworkFailure): NetworkFailure {
  const answer = status === undefined ? '' : ` (HTTP ${status})`
  switch (code) {
    case 'ERR_PROXY_AUTHENTICATION': {
      const detail = `the proxy ${proxy} wants other credentials${answer}: set ${NAMES} to http://USER:PASSWORD@HOST:PORT`
      return { reason: 'proxy_credentials', detail }
    }
    case 'ERR_PROXY_REFUSED': {
      const detail = `the proxy ${proxy} does not permit it${answer}: ask for it, or name the host in NO_PROXY`
      return { reason: 'proxy_refused', detail }
    }
    case 'ERR_PROXY_UPSTREAM':
      return { reason: 'unreachable', detail: `the proxy ${proxy} does not get through to it${answer}` }
    case 'ERR_PROXY_TIMEOUT':
      return { reason: 'timeout', detail: `no answer in time by way of the proxy ${proxy}` }
    case 'ERR_PROXY_PROTOCOL': {
      const detail = `what answers at ${proxy} is no HTTP proxy${answer}: check ${NAMES}`
      return { reason: 'proxy_unreachable', detail }
    }
    case 'ERR_PROXY_UNREACHABLE': {
      const detail = `the proxy ${proxy}: ${cause.detail}; check ${NAMES}`
      return { reason: 'proxy_unreachable', detail }
    }
  }
}
