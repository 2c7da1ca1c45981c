import type { RateLimit, RateLimits } from '@sallyport/core'
import t from 'tap'
import { authErrors } from '../../dist/errors.js'
import { createAttempts } from '../../dist/sign-in/attempts.js'

/** Counts without a window. */
function counters(): RateLimits {
  const used = new Map<string, number>()
  const name = (limit: RateLimit, key: string): string => `${limit.name} ${key}`
  return {
    consume: async (limit, key) => {
      const count = (used.get(name(limit, key)) ?? 0) + 1
      used.set(name(limit, key), count)
      return count > limit.points
        ? { allowed: false, retryAfterSeconds: 60 }
        : { allowed: true, remaining: limit.points - count }
    },
    refund: async (limit, key) => void used.set(name(limit, key), (used.get(name(limit, key)) ?? 0) - 1),
    reset: async (limit, key) => void used.delete(name(limit, key)),
  }
}

const limits = { perAccount: { points: 2, windowSeconds: 60 }, perAddress: { points: 4, windowSeconds: 60 } }
const right = async (): Promise<string> => 'right'
const wrong = async (): Promise<undefined> => undefined

t.test(
  'counts wrong tries of an account over all addresses, and does not ask again while it is throttled',
  async (t) => {
    const attempts = createAttempts(counters(), 'password', limits)
    for (const ip of ['192.0.2.1', '192.0.2.2'])
      t.equal(await attempts.run({ account: 'a@b.cd', ip }, wrong), undefined)
    let asked = false
    const refused = attempts.run({ account: 'a@b.cd', ip: '192.0.2.3' }, async () => {
      asked = true
      return 'right'
    })
    const error = await refused.catch((failure: unknown) => failure)
    t.ok(authErrors.TOO_MANY_ATTEMPTS.is(error) && error.retryAfter === 60)
    t.notOk(asked)
    t.equal(await attempts.run({ account: 'other@b.cd', ip: '192.0.2.3' }, right), 'right')
  },
)

t.test('counts wrong tries of an address over all accounts, and right ones not', async (t) => {
  const attempts = createAttempts(counters(), 'password', limits)
  const ip = '192.0.2.1'
  for (let round = 0; round < 10; round += 1) t.equal(await attempts.run({ account: 'own@b.cd', ip }, right), 'right')
  for (let round = 0; round < 4; round += 1) {
    t.equal(
      await attempts.run({ account: 'own@b.cd', ip }, right).catch(() => 'throttled'),
      'right',
      'gives nothing back',
    )
    await attempts.run({ account: `${round}@b.cd`, ip }, wrong)
  }
  await t.rejects(attempts.run({ account: 'own@b.cd', ip }, right), { code: 'AUTH_ERR_TOO_MANY_ATTEMPTS' })
})

t.test('a fault of the server is not counted', async (t) => {
  const attempts = createAttempts(counters(), 'password', limits)
  const attempt = { account: 'a@b.cd', ip: '192.0.2.1' }
  for (let round = 0; round < 10; round += 1) {
    await t.rejects(
      attempts.run(attempt, () => Promise.reject(new Error('down'))),
      /down/,
    )
  }
  t.equal(await attempts.run(attempt, right), 'right')
})
