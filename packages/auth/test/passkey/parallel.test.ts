import { Database } from '@sallyport/core'
import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { createPasskeyStore } from '../../dist/strategies/passkey/passkey-store.js'
import type { Call } from '../support/client.js'
import { startPanelProcess } from '../support/panel-process.js'
import { challenge, plenty, register, signIn, startPasskeyPanel } from './support.js'

const times = 50

/** On a server, and from two processes, requests do run at the same time. */
t.test('at one time, from two processes', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  const databaseUrl = postgres.url
  const publicUrl = 'http://localhost:3000'
  const panel = await startPasskeyPanel(t, { databaseUrl, publicUrl })
  const limits = { attemptsPerAddress: plenty, challengesPerAddress: plenty }
  const other = await startPanelProcess(t, { databaseUrl, publicUrl, strategies: { passkey: limits } })
  const { call } = panel
  const sendEverywhere = (send: (call: Call) => ReturnType<Call>) =>
    Promise.all(Array.from({ length: times }, (_, n) => send(n % 2 === 0 ? call : other.call)))
  const statuses = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status).sort()
  const sessionsOf = async (id: string): Promise<number> =>
    (await panel.rows(`SELECT id FROM auth_sessions WHERE user_id = '${id}'`)).length

  // With a counter the database would refuse all but one assertion in any case; the challenge must do it alone.
  for (const counts of [false, true]) {
    t.test(`an assertion begins one session, ${counts ? 'with' : 'without'} a counter`, async (t) => {
      const person = await panel.person(`assertion-${counts}@localhost`)
      const authenticator = panel.authenticator({ counts })
      await register(call, authenticator, { token: person.token })
      const before = await sessionsOf(person.id)
      const response = authenticator.get(await challenge(other.call))
      const answers = await sendEverywhere((via) =>
        via('POST', '/api/auth/passkey/authenticate', { body: { response } }),
      )
      t.same(statuses(answers), [200, ...Array(times - 1).fill(401)])
      t.equal(await sessionsOf(person.id), before + 1)
    })
  }

  t.test('a challenge signed many times begins one session', async (t) => {
    const person = await panel.person('challenge@localhost')
    const authenticator = panel.authenticator()
    await register(call, authenticator, { token: person.token })
    const options = await challenge(call, person.email)
    const before = await sessionsOf(person.id)
    const answers = await sendEverywhere((via) =>
      via('POST', '/api/auth/passkey/authenticate', { body: { response: authenticator.get(options) } }),
    )
    t.same(statuses(answers), [200, ...Array(times - 1).fill(401)])
    t.equal(await sessionsOf(person.id), before + 1)
  })

  t.test('two challenges signed with one count begin one session', async (t) => {
    const person = await panel.person('copied@localhost')
    const authenticator = panel.authenticator()
    await register(call, authenticator, { token: person.token })
    const before = await sessionsOf(person.id)
    const given = { deviations: { counter: 9 } }
    const answers = await sendEverywhere((via) => signIn(via, authenticator, given))
    t.same(statuses(answers), [200, ...Array(times - 1).fill(401)])
    t.equal(await sessionsOf(person.id), before + 1)
  })

  t.test('a registration is stored once', async (t) => {
    const { token } = await panel.person('registration@localhost')
    const options = (await call('GET', '/api/auth/passkey/register-challenge', { token })).body
    const response = panel.authenticator().create(options)
    const answers = await sendEverywhere((via) =>
      via('POST', '/api/auth/passkey/register', { token, body: { response } }),
    )
    t.same(statuses(answers), [200, ...Array(times - 1).fill(401)])
    t.equal((await call('GET', '/api/auth/passkeys', { token })).body.passkeys.length, 1)
  })

  t.test('a user has 50 at most, and a credential one user', async (t) => {
    const store = createPasskeyStore(panel.kernel.get(Database))
    const passkey = {
      publicKey: Buffer.from('key'),
      counter: 0,
      transports: [],
      deviceType: 'singleDevice',
      backedUp: false,
      aaguid: '',
      name: 'x',
    } as const
    const handles = await Promise.all(Array.from({ length: 10 }, () => store.handle('collector')))
    t.equal(new Set(handles).size, 1, 'one handle')
    const added = await Promise.all(
      Array.from({ length: 60 }, (_, n) => store.add({ ...passkey, userId: 'collector', credentialId: `own-${n}` })),
    )
    t.equal(added.filter(({ kind }) => kind === 'added').length, 50)
    t.equal((await store.list('collector')).length, 50)

    const owners = ['a', 'b', 'c', 'd']
    await Promise.all(owners.map((userId) => store.handle(userId)))
    const shared = await Promise.all(owners.map((userId) => store.add({ ...passkey, userId, credentialId: 'shared' })))
    t.same(shared.map(({ kind }) => kind).sort(), ['added', 'taken', 'taken', 'taken'])

    await Promise.all([
      store.removeAll('collector'),
      ...Array.from({ length: 20 }, (_, n) =>
        store.add({ ...passkey, userId: 'collector', credentialId: `late-${n}` }),
      ),
    ])
    t.same(await store.list('collector'), [], 'none is left behind a user who is gone')
  })
})
