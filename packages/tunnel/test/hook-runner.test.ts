import { createTestLogger } from '@sallyport/core/testing'
import t from 'tap'
import { createHookRunner } from '../dist/hooks/hook-runner.js'
import type { AllocationAttempt, EnrolmentAttempt, Hook, Verdict } from '../dist/index.js'

const enrolment: EnrolmentAttempt = {
  stage: 'start',
  name: 'box',
  kind: 'client',
  ownerId: null,
  organisationId: null,
  principal: undefined,
  ip: '192.0.2.1',
}
const allocation = { deviceId: 'd', protocol: 'tcp', localHost: '127.0.0.1', localPort: 1 } as AllocationAttempt
const unavailable = { code: 'TUNNEL_ERR_HOOK_UNAVAILABLE', status: 503, retryAfter: 5 }

t.test('without hooks everything is permitted', async (t) => {
  const runner = createHookRunner(undefined, createTestLogger().logger)
  await t.resolves(runner.beforeEnrolment(enrolment))
  await t.resolves(runner.beforeAllocation(allocation))
})

t.test('what the host refuses is refused in its words, on one line of bounded length', async (t) => {
  const decide = ({ name }: EnrolmentAttempt): Verdict =>
    name === 'box' ? { allow: false, reason: `not\r\nyou${'!'.repeat(1_000)}` } : { allow: true }
  const hooks = { beforeEnrolment: { decide }, beforeAllocation: { decide: () => ({ allow: false }) as const } }
  const log = createTestLogger()
  const runner = createHookRunner(hooks, log.logger)
  const message = `The enrolment is refused: not you${'!'.repeat(493)}`
  await t.rejects(runner.beforeEnrolment(enrolment), { code: 'TUNNEL_ERR_ENROLMENT_REFUSED', status: 403, message })
  await t.resolves(runner.beforeEnrolment({ ...enrolment, name: 'other' }))
  await t.rejects(runner.beforeAllocation(allocation), { code: 'TUNNEL_ERR_ALLOCATION_REFUSED', status: 403 })
  t.same(log.lines, [])
})

t.test('a hook that throws, is late or says nonsense has not answered', async (t) => {
  let aborted = 0
  const bad: Record<string, Hook<unknown>['decide']> = {
    throws: () => {
      throw new Error('broken')
    },
    rejects: () => Promise.reject(new Error('broken')),
    'is late': (_, signal) => {
      signal.addEventListener('abort', () => {
        aborted += 1
      })
      return new Promise(() => undefined)
    },
    nonsense: () => ({ allow: 'yes' }) as never,
    nothing: () => undefined as never,
  }
  for (const [name, decide] of Object.entries(bad)) {
    const log = createTestLogger()
    const hook = { decide, timeoutMs: 20 }
    const strict = createHookRunner({ beforeEnrolment: hook }, log.logger)
    await t.rejects(strict.beforeEnrolment(enrolment), unavailable, name)
    await t.rejects(strict.beforeEnrolment(enrolment), unavailable)
    t.equal(log.lines.length, 1, 'logged, but not each time')
    const lenient = createHookRunner({ beforeEnrolment: { ...hook, otherwise: 'allow' } }, log.logger)
    await t.resolves(lenient.beforeEnrolment(enrolment))
  }
  t.equal(aborted, 3)
})
