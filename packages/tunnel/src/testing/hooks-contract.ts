import { equal, ok } from 'node:assert/strict'
import type { Runner } from '@sallyport/core/testing'
import type { Hook, TunnelHooks } from '../hooks/hooks.js'

/** A host's hooks under test, with attempts that it knows the answers to. */
export interface TunnelHooksFixture {
  readonly hooks: TunnelHooks
  /** For each hook: one that is to be let through and, if there is such a thing, one that is to be refused. */
  readonly attempts: {
    readonly [Name in 'beforeEnrolment' | 'beforeAllocation' | 'beforeConnection']?: {
      readonly allowed: AttemptOf<TunnelHooks[Name]>
      readonly refused?: AttemptOf<TunnelHooks[Name]>
    }
  }
  /** Ends to be told of, for `afterConnection`. */
  readonly ends?: Parameters<NonNullable<TunnelHooks['afterConnection']>>[0]
  readonly dispose?: () => void | Promise<void>
}

type AttemptOf<H> = NonNullable<H> extends Hook<infer Attempt> ? Attempt : never

const names = ['beforeEnrolment', 'beforeAllocation', 'beforeConnection'] as const
const defaultTimeoutMs = { beforeEnrolment: 5_000, beforeAllocation: 5_000, beforeConnection: 1_000 } as const
const maxReasonLength = 500
const many = 50

/** What every host's `TunnelHooks` must do. `make` gives a fresh fixture to each test. */
export function tunnelHooksContract({ test }: Runner, make: () => Promise<TunnelHooksFixture>): void {
  const check = (name: string, body: (fixture: TunnelHooksFixture) => Promise<void>): unknown =>
    test(`tunnel hooks: ${name}`, async () => {
      const fixture = await make()
      try {
        await body(fixture)
      } finally {
        await fixture.dispose?.()
      }
    })

  for (const name of names) {
    check(`${name} answers in time, as its host means it`, async ({ hooks, attempts }) => {
      const hook = hooks[name] as Hook<unknown> | undefined
      const known = attempts[name]
      if (!hook || !known) return
      const timeoutMs = hook.timeoutMs ?? defaultTimeoutMs[name]
      for (const [attempt, allow] of [
        [known.allowed, true],
        [known.refused, false],
      ] as const) {
        if (attempt === undefined) continue
        const before = performance.now()
        const verdict = await hook.decide(attempt, new AbortController().signal)
        ok(performance.now() - before < timeoutMs, `it answers within ${timeoutMs} ms`)
        equal(verdict.allow, allow)
        if (!verdict.allow && verdict.reason !== undefined) {
          equal(typeof verdict.reason, 'string')
          ok(verdict.reason.length <= maxReasonLength, 'the reason is short')
        }
      }
    })
    check(`${name} answers many at once`, async ({ hooks, attempts }) => {
      const hook = hooks[name] as Hook<unknown> | undefined
      const known = attempts[name]
      if (!hook || !known) return
      const { signal } = new AbortController()
      const verdicts = await Promise.all(Array.from({ length: many }, () => hook.decide(known.allowed, signal)))
      ok(verdicts.every(({ allow }) => allow))
    })
    check(`${name} leaves what it is given as it is`, async ({ hooks, attempts }) => {
      const hook = hooks[name] as Hook<unknown> | undefined
      const known = attempts[name]
      if (!hook || !known) return
      const before = JSON.stringify(known.allowed)
      await hook.decide(known.allowed, new AbortController().signal)
      equal(JSON.stringify(known.allowed), before)
    })
  }
  check('afterConnection takes none, some, and the same again', async ({ hooks, ends = [] }) => {
    await hooks.afterConnection?.([])
    await hooks.afterConnection?.(ends)
    await hooks.afterConnection?.(ends)
  })
}
