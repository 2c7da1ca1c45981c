import { coreErrors, createBoundedWork, type ErrorFactory, type Logger } from '@sallyport/core'
import { tunnelErrors } from '../errors.js'
import { askHook } from './ask-hook.js'
import type { AllocationAttempt, EnrolmentAttempt, Hook, TunnelHooks } from './hooks.js'
import { createSeldom } from './seldom.js'

/** Asks the host before something happens. Without a hook everything is permitted, at once. */
export interface HookRunner {
  /** @throws `TUNNEL_ERR_ENROLMENT_REFUSED` (403) with the host's reason; `TUNNEL_ERR_HOOK_UNAVAILABLE` (503) */
  beforeEnrolment(attempt: EnrolmentAttempt): Promise<void>
  /** @throws `TUNNEL_ERR_ALLOCATION_REFUSED` (403) with the host's reason; `TUNNEL_ERR_HOOK_UNAVAILABLE` (503) */
  beforeAllocation(attempt: AllocationAttempt): Promise<void>
}

const defaultTimeoutMs = 5_000
const retryAfterSeconds = 5
const defaultReason = 'the host does not permit it'
const maxReasonLength = 500
/** Questions to one hook at a time; what cannot wait is unanswered. */
const concurrency = 100
const maxWaiting = 1_000
const logIntervalMs = 60_000

export function createHookRunner(hooks: TunnelHooks | undefined, logger: Logger): HookRunner {
  const seldom = createSeldom(logIntervalMs)

  const runner = <Attempt>(
    name: 'beforeEnrolment' | 'beforeAllocation',
    hook: Hook<Attempt> | undefined,
    refused: ErrorFactory<'{reason}'>,
  ): ((attempt: Attempt) => Promise<void>) => {
    if (!hook) return async () => undefined
    const timeoutMs = hook.timeoutMs ?? defaultTimeoutMs
    const busy = (): Error => coreErrors.UNAVAILABLE({ reason: 'too many questions to the hook' })
    const line = createBoundedWork({ concurrency, maxWaiting, waitTimeoutMs: timeoutMs, busy })
    return async (attempt) => {
      const answer = await line(() => askHook(hook, attempt, timeoutMs)).catch((error: unknown) => {
        return { kind: 'unanswered', error } as const
      })
      if (answer.kind === 'verdict') {
        if (answer.verdict.allow) return
        throw refused({ reason: presentable(answer.verdict.reason) })
      }
      const otherwise = hook.otherwise ?? 'deny'
      seldom.say(name, (unsaid) => {
        logger.error({ err: answer.error, hook: name, otherwise, unsaid }, 'a hook did not answer')
      })
      if (otherwise === 'deny') throw tunnelErrors.HOOK_UNAVAILABLE(undefined, { retryAfter: retryAfterSeconds })
    }
  }

  return {
    beforeEnrolment: runner('beforeEnrolment', hooks?.beforeEnrolment, tunnelErrors.ENROLMENT_REFUSED),
    beforeAllocation: runner('beforeAllocation', hooks?.beforeAllocation, tunnelErrors.ALLOCATION_REFUSED),
  }
}

/** One bounded line for whoever asked. */
function presentable(reason: string | undefined): string {
  const text = (reason ?? '').replace(/\p{Cc}+/gu, ' ').trim()
  return text.slice(0, maxReasonLength) || defaultReason
}
