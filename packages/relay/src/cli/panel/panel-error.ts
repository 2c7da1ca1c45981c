import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import type { PanelFailure } from './panel-client.js'

/** The end of a one-shot command whose request failed, in words that say what to do. `credential` names what was sent, if anything. */
export function panelError(failure: PanelFailure, credential: Credential): CliError {
  return new CliError(failure.error, words(failure, credential), exitCode(failure))
}

type Credential = 'token' | 'key' | 'none'

/** What to do about a refusal, behind the panel's own words. */
const ADVICE: Readonly<Record<string, string>> = {
  no_ports_available: 'remove a tunnel, or ask an administrator for a wider range of ports',
  port_taken: 'choose another, or none to be given one',
  port_out_of_range: 'choose one within it, or none to be given one',
  no_relay_available: 'try again later, or ask an administrator',
  too_many_enrolments: 'try again in a few minutes',
  wrong_kind: "an agent ('sallyport run') and a relay ('sallyport relay') need enrolments of their own",
}

const UNAUTHORIZED: Readonly<Record<Exclude<Credential, 'none'>, string>> = {
  token:
    "the panel does not take this device's token (revoked or removed): enrol again with 'sallyport enroll --panel URL'",
  key: 'the panel does not take the API key: check SALLYPORT_API_KEY',
}

function words(failure: PanelFailure, credential: Credential): string {
  const { kind, error, detail, status, retryAfterMs = 0 } = failure
  if (kind === 'unauthorized') {
    return credential === 'none' ? `the panel wants credentials${detail && ` (${detail})`}` : UNAUTHORIZED[credential]
  }
  if (error === 'quota_exceeded') {
    return `the quota of tunnels is used up (${detail}): remove one ('sallyport allocations') or ask an administrator for more`
  }
  if (kind === 'feature_disabled') return `${detail}: try again later, or ask an administrator to switch them on`
  const advice = Object.hasOwn(ADVICE, error) ? ADVICE[error] : undefined
  if (kind === 'problem' && advice !== undefined) return `${detail}: ${advice}`
  if (status === 429) {
    const seconds = Math.ceil(retryAfterMs / 1_000)
    return `the panel asks for patience (too many requests)${seconds > 0 ? `: try again in ${seconds} s` : ''}`
  }
  return detail
}

function exitCode(failure: PanelFailure): ExitCodeValue {
  if (failure.kind === 'unauthorized' || failure.error === 'wrong_kind') return ExitCode.notEnrolled
  return failure.kind === 'out_of_reach' ? ExitCode.unreachable : ExitCode.failure
}

/** An answer of HTTP 2xx whose body is not what the contract says. */
export function badAnswer(field: string): CliError {
  return new CliError('bad_answer', `the panel's answer is not understood (${field}): is this the newest sallyport?`)
}
