import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { directory } from '../dist/index.js'
import { type Panel, startPanel } from './support/panel.js'

/** On a server statements do run at the same time; the embedded database has one connection. */
t.test('on a Postgres server', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  const told: { email: string; password: string }[] = []
  const open = (n: number): Promise<Panel> =>
    startPanel(t, {
      databaseUrl: postgres.url,
      users: directory({
        firstAdministrator: { email: `admin-${n}@localhost`, onGenerated: (entry) => void told.push(entry) },
      }),
    })
  const [panel] = (await Promise.all([0, 1, 2].map(open))) as [Panel, Panel, Panel]
  const signIn = async (email: string, password: string) =>
    panel.call('POST', '/api/auth/login', { body: { email, password } })

  t.equal(told.length, 1, 'of instances that start together one makes the first administrator')
  const first = told[0] ?? { email: '', password: '' }
  const { token } = (await signIn(first.email, first.password)).body
  t.equal((await panel.call('GET', '/api/users', { token })).body.total, 1)

  t.test('an e-mail address is one user, however it is spelt', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => {
        const body = { email: n % 2 === 0 ? 'Eve@example.com' : 'eve@EXAMPLE.com', password: 'long enough' }
        return panel.call('POST', '/api/users', { token, body })
      }),
    )
    t.same(answers.map(({ status }) => status).sort(), [201, ...Array(9).fill(409)])
  })

  t.test('of passwords set at one time one is left, with one session', async (t) => {
    const eve = 'eve@example.com'
    const tokens = await Promise.all(
      Array.from({ length: 4 }, async () => (await signIn(eve, 'long enough')).body.token as string),
    )
    const changes = await Promise.all(
      tokens.map((mine, n) =>
        panel.call('POST', '/api/auth/password', {
          token: mine,
          body: { currentPassword: 'long enough', newPassword: `another one ${n}` },
        }),
      ),
    )
    t.ok(changes.some(({ status }) => status === 200))
    const signIns = await Promise.all(tokens.map((_, n) => signIn(eve, `another one ${n}`)))
    t.equal(signIns.filter(({ status }) => status === 200).length, 1)
    const alive = await Promise.all(tokens.map((mine) => panel.call('GET', '/api/auth/session', { token: mine })))
    t.ok(alive.filter(({ status }) => status === 200).length <= 1)
  })
})
