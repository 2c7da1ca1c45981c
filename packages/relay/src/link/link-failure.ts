import { clockWords, describeNetworkError } from '../control/network-failure.js'
import type { DialErrorCode } from './dial-relay.js'

const WORDS: Readonly<Record<Exclude<DialErrorCode, 'timeout'> | 'proxy_refused', (now: number) => string>> = {
  certificate_mismatch: () => 'its certificate is not the one that the panel names',
  certificate_untrusted: () => 'its certificate is for another name, or nobody whom this machine trusts vouches for it',
  certificate_expired: clockWords,
  certificate_not_yet_valid: clockWords,
  proxy_refused: () => 'it cannot be reached directly, and the HTTP proxy does not let this agent through to it',
  tls_failed: () => 'it speaks no TLS, or something in between does not let it through',
}

/**
 * Why there is no link to a relay (`error` of the agent's 'link' event), for people: the code, and words where the code does not speak for itself.
 */
export function describeLinkError(error: string, now: number = Date.now()): string {
  if (Object.hasOwn(WORDS, error)) return `${error}: ${WORDS[error as keyof typeof WORDS](now)}`
  // The system's own codes.
  return /^E[A-Z_]+$/.test(error) ? `${error}: ${describeNetworkError({ code: error }, now).detail}` : error
}
