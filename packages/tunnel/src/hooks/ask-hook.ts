import { within } from '../within.js'
import type { Hook, Verdict } from './hooks.js'

/** What a hook said, or that it said nothing in time. */
export type HookAnswer =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** Late, failed, or what it gave is no verdict. `error`: why, for the log. */
  | { readonly kind: 'unanswered'; readonly error: unknown }

/** Asks once. Never rejects; after `timeoutMs` the hook's signal is aborted and nobody waits for it. */
export async function askHook<Attempt>(hook: Hook<Attempt>, attempt: Attempt, timeoutMs: number): Promise<HookAnswer> {
  const late = new AbortController()
  try {
    const said = await within(timeoutMs, decide(hook, attempt, late.signal))
    if (said === undefined) {
      const error = new Error(`no answer within ${timeoutMs} ms`)
      late.abort(error)
      return { kind: 'unanswered', error }
    }
    const { verdict } = said
    if (!isVerdict(verdict)) return { kind: 'unanswered', error: new Error('the answer is no verdict') }
    return { kind: 'verdict', verdict }
  } catch (error) {
    return { kind: 'unanswered', error }
  }
}

/** In an object: what a hook says may be undefined. */
async function decide<Attempt>(hook: Hook<Attempt>, attempt: Attempt, signal: AbortSignal) {
  return { verdict: (await hook.decide(attempt, signal)) as unknown }
}

function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== 'object' || value === null) return false
  const { allow, reason } = value as Partial<Record<'allow' | 'reason', unknown>>
  return typeof allow === 'boolean' && (reason === undefined || typeof reason === 'string')
}
