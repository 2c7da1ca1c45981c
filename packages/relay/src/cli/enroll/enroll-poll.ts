import type { CliContext } from '../context.js'
import { CliError } from '../exit.js'
import { type EnrolmentPoll, type EnrolmentStart, readEnrolmentPoll } from '../panel/panel-answers.js'
import type { PanelClient, PanelFailure } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import { wait } from '../wait.js'

const MIN_WAIT_MS = 100
const MAX_WAIT_MS = 60_000
/** A poll that comes a little late costs nothing, one that comes early is a 429. */
const MARGIN_MS = 50
/** The panel says when a code is over; this ends the wait for a panel that does not. */
const MIN_LIFETIME_MS = 60_000
const MAX_LIFETIME_MS = 3_600_000

/** Polls until the code is approved. Throws CliError when it is expired or denied, or the wait is cancelled. */
export async function awaitApproval(
  client: PanelClient,
  start: EnrolmentStart,
  /** As the panel's own clock has it, where that is known. */
  lifetimeMs: number,
  { output, signal }: CliContext,
): Promise<Extract<EnrolmentPoll, { approved: true }>> {
  const deadline = performance.now() + Math.min(Math.max(lifetimeMs, MIN_LIFETIME_MS), MAX_LIFETIME_MS)
  let intervalMs = start.interval * 1_000
  let pauseMs = intervalMs
  let told = false
  for (;;) {
    const bounded = Math.min(Math.max(pauseMs + MARGIN_MS, MIN_WAIT_MS), MAX_WAIT_MS)
    if (!(await wait(bounded, signal))) throw cancelled()
    const params = { query: { deviceCode: start.deviceCode } }
    const answer = await client.request('get', '/api/tunnel/device/poll', { params, signal })
    if (answer.ok) {
      const poll = readEnrolmentPoll(answer.body)
      if (poll.approved) return poll
      if (poll.interval !== undefined) intervalMs = poll.interval * 1_000
      told = false
      pauseMs = intervalMs
    } else if (isPassing(answer)) {
      if (!told && answer.status !== 429) {
        output.notice('waiting', `${answer.detail}; the code stays good, trying on`)
        told = true
      }
      pauseMs = Math.max(intervalMs, answer.retryAfterMs ?? 0)
    } else {
      throw ended(answer)
    }
    if (performance.now() > deadline) throw answer.ok ? expired() : panelError(answer, 'none')
  }
}

function isPassing(failure: PanelFailure): boolean {
  if (failure.kind === 'out_of_reach' || failure.kind === 'feature_disabled') return true
  return failure.status === 429 || (failure.status ?? 0) >= 500
}

function ended(failure: PanelFailure): CliError {
  if (failure.kind === 'aborted') return cancelled()
  if (failure.kind === 'problem') {
    if (/denied|rejected/.test(failure.error) || failure.status === 403) {
      return new CliError('denied', 'an administrator has denied this code')
    }
    if (failure.error.endsWith('redeemed')) {
      return new CliError('redeemed', "the token of this code was handed out already: run 'sallyport enroll' again")
    }
    if (failure.status === 410) return expired()
    if (failure.status === 404) {
      return new CliError('denied', 'the panel does not know this code any more (denied, removed, or used already)')
    }
  }
  return panelError(failure, 'none')
}

function expired(): CliError {
  return new CliError(
    'expired',
    "the code has expired before it was approved: run 'sallyport enroll' again for a new one",
  )
}

export function cancelled(): CliError {
  return new CliError('cancelled', 'cancelled; nothing was saved')
}
