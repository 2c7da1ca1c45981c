// Several panels on one Redis: they count together, and when it is away nobody gets in, nor stays in who was put out.
import t from 'tap'
import { until } from '../../support/deadline.js'
import type { Reply } from '../../support/raw-client.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import { startTwoPanels } from '../../support/sign-in-panel.js'
import { isThrottled } from '../../support/throttled.js'

const perAccount = 10
const wrong = 'a password that nobody has'

t.test(
  'several panels count together, and without Redis nobody gets in',
  { skip: withoutPostgres || withoutRedis },
  async (t) => {
    const { panels, redis } = await startTwoPanels(t)
    const [a, b] = panels
    const person = await a.newPerson()

    for (let index = 0; index < perAccount; index++) {
      const panel = index % 2 ? a : b
      t.equal((await panel.login(person.email, wrong)).status, 401, `try ${index + 1}`)
    }
    isThrottled(t, await a.login(person.email, person.password), 'at the first')
    isThrottled(t, await b.login(person.email, person.password), 'at the second')

    const other = await a.newPerson()
    const ended = await a.newSession(other)
    const factor = await a.newTwoFactorPerson()
    const tempToken = await a.tempToken(factor)
    t.equal((await b.send('GET', '/api/auth/session', { bearer: ended })).status, 200, 'a session that both know')
    const tries: [name: string, attempt: () => Promise<Reply>][] = [
      ['right password', () => b.login(other.email, other.password)],
      ['wrong password', () => b.login(other.email, wrong)],
      ['unknown account', () => b.login('nobody@example.com', wrong)],
      ['locked account', () => b.login(person.email, person.password)],
      ['wrong code', () => b.send('POST', '/api/auth/2fa/verify-login', { body: { tempToken, token: '000000' } })],
    ]
    for (const gone of ['stopped', 'silent']) {
      if (gone === 'stopped') await redis.stop()
      else redis.pause()
      for (const [name, attempt] of tries) {
        for (let index = 0; index < 3; index++) {
          const reply = await attempt()
          t.match(reply, { status: 503, cookies: [] }, `${gone}: ${name}`)
          t.match(reply.headers['retry-after'], /^[1-9]\d*$/, `${gone}: ${name}: Retry-After`)
        }
      }
      if (gone === 'stopped') {
        await a.send('POST', '/api/auth/logout', { bearer: ended })
        const { status } = await b.send('GET', '/api/auth/session', { bearer: ended })
        t.equal(status, 401, 'what is ended at one panel is dead at the other though no event says so')
        await redis.start()
      } else redis.resume()
      await until('signing in', async () => (await b.login(other.email, other.password)).status === 200)
      t.equal((await b.login(other.email, wrong)).status, 401, `${gone} and back: a wrong password is wrong`)
    }
  },
)
