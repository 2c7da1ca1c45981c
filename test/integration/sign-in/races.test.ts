// Two things at the same moment, at two panels: whatever the order, nothing is left that should not be.
import t from 'tap'
import { tally } from '../../support/parallel.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import { type Person, type SignInPanel, startTwoPanels } from '../../support/sign-in-panel.js'

t.test('two panels', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const { panels } = await startTwoPanels(t)
  const [a, b] = panels
  const by = (index: number) => panels[index % 2] as SignInPanel
  const asAdmin = { bearer: a.admin.token }

  /** Statuses of what was given while something else happened, once that has happened. */
  const afterwards = (credentials: readonly { bearer?: string; apiKey?: string }[]) =>
    Promise.all(
      credentials.flatMap((carried) =>
        panels.map(async (panel) => (await panel.send('GET', '/api/auth/session', carried)).status),
      ),
    )

  const ends: [name: string, end: (person: Person) => Promise<unknown>][] = [
    ['suspension', ({ id }) => a.ok('PATCH', `/api/users/${id}`, { ...asAdmin, body: { suspended: true } })],
    ['deletion', ({ id }) => a.ok('DELETE', `/api/users/${id}`, asAdmin)],
    [
      'a new password',
      ({ id }) => a.ok('PATCH', `/api/users/${id}`, { ...asAdmin, body: { password: 'a new password' } }),
    ],
  ]
  for (const [name, end] of ends) {
    await t.test(`signing in while ${name} happens`, async (t) => {
      for (let round = 0; round < 3; round++) {
        const person = await a.newPerson()
        const logins = Array.from({ length: 8 }, (_, index) => by(index).login(person.email, person.password))
        const [replies] = await Promise.all([Promise.all(logins), end(person)])
        const tokens = replies.flatMap(({ body }) => (body?.token ? [{ bearer: body.token as string }] : []))
        t.same(tally(await afterwards([...tokens, { bearer: person.token }])), { 401: (tokens.length + 1) * 2 })
      }
    })
  }

  for (const [name, end] of ends.slice(0, 2)) {
    await t.test(`making keys while ${name} happens`, async (t) => {
      const person = await a.newPerson()
      const body = { name: 'late', type: 'client', permissions: [] }
      const made = Array.from({ length: 12 }, (_, index) =>
        by(index).send('POST', '/api/apikeys', { bearer: person.token, body }),
      )
      const [replies] = await Promise.all([Promise.all(made), end(person)])
      const keys = replies.flatMap(({ body: given }) => (given?.apiKey ? [{ apiKey: given.apiKey as string }] : []))
      const statuses = await afterwards(keys)
      t.ok(
        statuses.every((status) => status === 401),
        JSON.stringify(tally(statuses)),
      )
      t.notOk(
        replies.some(({ status }) => status >= 500),
        'no fault',
      )
    })
  }

  await t.test('two administrators who demote each other', async (t) => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await a.newPerson(['*']), await a.newPerson(['*'])]
      // The first administrator steps back for the moment.
      await a.ok('PATCH', `/api/users/${a.admin.id}`, { bearer: one.token, body: { permissions: ['users:write'] } })
      const demote = (panel: SignInPanel, from: Person, whom: Person) =>
        panel.send('PATCH', `/api/users/${whom.id}`, { bearer: from.token, body: { permissions: [] } })
      const replies = await Promise.all([demote(a, one, two), demote(b, two, one)])
      const done = replies.filter(({ status }) => status === 200).length
      t.equal(done, 1, JSON.stringify(replies.map(({ status }) => status)))
      const left = replies[0]?.status === 200 ? one : two
      await a.ok('PATCH', `/api/users/${a.admin.id}`, { bearer: left.token, body: { permissions: ['*'] } })
      await a.ok('PATCH', `/api/users/${left.id}`, { ...asAdmin, body: { permissions: [] } })
    }
  })

  await t.test('two owners who leave at the same moment', async (t) => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await a.newPerson(), await a.newPerson()]
      const { body } = await a.ok('POST', '/api/organisations', { bearer: one.token, body: { name: 'ours' } })
      const path = `/api/organisations/${body.organisation.id}`
      await a.ok('PUT', `${path}/members/${two.id}`, { bearer: one.token, body: { role: 'owner' } })
      const leave = (panel: SignInPanel, person: Person) =>
        panel.send('DELETE', `${path}/members/${person.id}`, { bearer: person.token })
      const replies = await Promise.all([leave(a, one), leave(b, two)])
      t.same(replies.map(({ status }) => status).sort(), [200, 409])
    }
  })

  await t.test('a session revoked at one panel is dead at the other before the answer', async (t) => {
    const person = await a.newPerson()
    for (let round = 0; round < 20; round++) {
      const token = await a.newSession(person)
      t.equal((await b.send('GET', '/api/auth/session', { bearer: token })).status, 200)
      await a.ok('POST', '/api/auth/logout', { bearer: token })
      t.equal((await b.send('GET', '/api/auth/session', { bearer: token })).status, 401)
    }
  })
})
