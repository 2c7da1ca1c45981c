import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { DEFAULT_AGENT_LIMITS } from '../../dist/limits.js'
import { LinkRetry } from '../../dist/link/link-retry.js'

const LIMITS = { ...DEFAULT_AGENT_LIMITS, retryMinMs: 100, retryMaxMs: 10_000 }

function start(t: Test) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let tries = 0
  const retry = new LinkRetry(LIMITS, () => {
    tries += 1
  })
  return { retry, tries: () => tries }
}

t.test('tries come quickly, then more slowly, until what was before is forgotten', (t) => {
  const { retry, tries } = start(t)
  for (let count = 1; count <= 3; count += 1) {
    retry.later()
    mock.timers.tick(500)
    t.equal(tries(), count)
  }
  retry.later()
  mock.timers.tick(799)
  t.equal(tries(), 3, 'the fourth waits for a second, more or less')
  mock.timers.tick(401)
  t.equal(tries(), 4)
  retry.forget()
  retry.later()
  mock.timers.tick(500)
  t.equal(tries(), 5)
  t.end()
})

t.test('what is cancelled is not tried, and after the end nothing is', (t) => {
  const { retry, tries } = start(t)
  retry.later()
  retry.cancel()
  mock.timers.tick(10_000)
  t.equal(tries(), 0)
  retry.later()
  retry.end()
  retry.later()
  mock.timers.tick(10_000)
  t.equal(tries(), 0)
  t.end()
})
