import { RelayError } from '../errors.js'

/** Throws RELAY_ERR_INVALID_OPTION for a URL that is not one of an HTTP proxy. Its credentials are not repeated. */
export function checkProxy(proxy: URL | undefined): void {
  if (proxy === undefined || proxy.protocol === 'http:' || proxy.protocol === 'https:') return
  throw new RelayError('RELAY_ERR_INVALID_OPTION', `proxy: not an http or https URL (${proxy.protocol}//)`)
}
