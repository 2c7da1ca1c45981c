import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import type { PanelFailure } from './panel-client.js'

/** The end of a one-shot command whose request failed, in words that say what to do. `credential` names what was sent, if anything. */
export function panelError(failure: PanelFailure, credential: 'token' | 'key' | 'none'): CliError {
  return new CliError(failure.error, words(failure, credential), exitCode(failure))
}

function words(failure: PanelFailure, credential: 'token' | 'key' | 'none'): string {
  if (failure.kind === 'unauthorized') {
    if (credential === 'token') {
      return "the panel does not take this device's token (revoked or removed): enrol again with 'sallyport enroll --panel URL'"
    }
    return credential === 'key'
      ? 'the panel does not take the API key: check SALLYPORT_API_KEY'
      : `the panel wants credentials${failure.detail === '' ? '' : ` (${failure.detail})`}`
  }
  if (failure.error === 'quota_exceeded') {
    return `the quota of tunnels is used up (${failure.detail}): remove one or ask an administrator for more`
  }
  if (failure.status === 429) {
    const seconds = Math.ceil((failure.retryAfterMs ?? 0) / 1_000)
    return `the panel asks for patience (too many requests)${seconds > 0 ? `: try again in ${seconds} s` : ''}`
  }
  return failure.detail
}

function exitCode(failure: PanelFailure): ExitCodeValue {
  if (failure.kind === 'unauthorized') return ExitCode.notEnrolled
  return failure.kind === 'out_of_reach' ? ExitCode.unreachable : ExitCode.failure
}

/** An answer of HTTP 2xx whose body is not what the contract says. */
export function badAnswer(field: string): CliError {
  return new CliError('bad_answer', `the panel's answer is not understood (${field}): is this the newest sallyport?`)
}
