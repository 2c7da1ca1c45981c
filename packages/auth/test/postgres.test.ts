import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { directory } from '../dist/index.js'
import { type Panel, startPanel } from './support/panel.js'

interface Person {
  readonly id: string
  readonly token: string
}

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
  const panels = (await Promise.all([0, 1, 2].map(open))) as [Panel, Panel, Panel]
  const [panel] = panels
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

  t.test('organisations on two panels', async (t) => {
    const [, other] = panels
    const people = await Promise.all(
      Array.from({ length: 4 }, async (_, n) => {
        const credentials = { email: `member-${n}@example.com`, password: 'long enough' }
        const { body } = await panel.call('POST', '/api/users', { token, body: credentials })
        const { body: signedIn } = await signIn(credentials.email, credentials.password)
        return { id: body.user.id as string, token: signedIn.token as string }
      }),
    )
    const [ada, bob, carl] = people as [Person, Person, Person]
    const member = (on: Panel, by: string, method: string, id: string, { id: userId }: Person, role?: string) =>
      on.call(method, `/api/organisations/${id}/members/${userId}`, { token: by, ...(role && { body: { role } }) })
    const create = async (owner: Person, ...owners: Person[]): Promise<string> => {
      const made = await panel.call('POST', '/api/organisations', { token: owner.token, body: { name: 'Guild' } })
      const { id } = made.body.organisation
      for (const second of owners) {
        t.equal((await member(panel, owner.token, 'PUT', id, second, 'owner')).status, 200)
      }
      return id
    }
    const owners = async (id: string): Promise<string[]> => {
      const { body } = await panel.call('GET', `/api/organisations/${id}`, { token })
      const rows: { userId: string; role: string }[] = body.members
      return rows.filter(({ role }) => role === 'owner').map(({ userId }) => userId)
    }

    for (let round = 0; round < 8; round += 1) {
      const id = await create(ada, bob)
      const ways = [
        () => [member(panel, ada.token, 'DELETE', id, bob), member(other, bob.token, 'DELETE', id, ada)],
        () => [member(panel, ada.token, 'PUT', id, ada, 'member'), member(other, bob.token, 'PUT', id, bob, 'admin')],
        () => [member(panel, ada.token, 'DELETE', id, ada), member(other, bob.token, 'DELETE', id, bob)],
        () => [member(panel, ada.token, 'PUT', id, bob, 'admin'), member(other, bob.token, 'DELETE', id, ada)],
      ]
      const statuses = (await Promise.all(ways[round % ways.length]?.() ?? [])).map(({ status }) => status)
      t.equal(statuses.filter((status) => status === 200).length, 1, `of two, one goes through: ${statuses}`)
      t.equal((await owners(id)).length, 1, 'of two owners who remove each other one stays')
      await panel.call('DELETE', `/api/organisations/${id}`, { token })
    }

    const limited = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        (n % 2 === 0 ? panel : other).call('POST', '/api/organisations', { token: carl.token, body: { name: 'Many' } }),
      ),
    )
    t.equal(limited.filter(({ status }) => status === 201).length, 20, 'so many and no more')
    t.ok(limited.every(({ status }) => status === 201 || status === 409))

    t.comment('deletions among changes of membership')
    for (let round = 0; round < 6; round += 1) {
      const credentials = { email: `leaver-${round}@example.com`, password: 'long enough' }
      const { body } = await panel.call('POST', '/api/users', { token, body: credentials })
      const leaver: Person = { id: body.user.id, token: '' }
      const ids = [await create(ada, bob), await create(bob, ada)]
      const work = ids.flatMap((id, n) => [
        member(n === 0 ? panel : other, ada.token, 'PUT', id, leaver, 'owner'),
        member(n === 0 ? other : panel, bob.token, 'PUT', id, ada, 'admin'),
      ])
      const deletion = other.call('DELETE', `/api/users/${leaver.id}`, { token })
      const statuses = [...(await Promise.all(work)), await deletion].map(({ status }) => status)
      t.ok(
        statuses.every((status) => status < 500),
        `no deadlock: ${statuses}`,
      )
      for (const id of ids) {
        t.ok((await owners(id)).length > 0)
        await panel.call('DELETE', `/api/organisations/${id}`, { token })
      }
    }
  })
})
