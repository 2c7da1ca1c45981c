import { randomUUID } from 'node:crypto'
import t from 'tap'
import { register, signIn, startPasskeyPanel } from './support.js'

t.test('passkeys', async (t) => {
  const panel = await startPasskeyPanel(t)
  const { call, audited } = panel
  const owner = await panel.person('owner@localhost')
  const stranger = await panel.person('stranger@localhost')
  const [first, second] = [panel.authenticator(), panel.authenticator()]
  const ids: string[] = []
  for (const [authenticator, name] of [
    [first, 'Laptop'],
    [second, 'Phone'],
  ] as const) {
    ids.push((await register(call, authenticator, { token: owner.token, name })).body.passkey.id)
  }
  const list = async (token = owner.token) => (await call('GET', '/api/auth/passkeys', { token })).body.passkeys

  t.test('are listed to their user', async (t) => {
    t.match(await list(), [
      { id: ids[0], name: 'Laptop' },
      { id: ids[1], name: 'Phone' },
    ])
    t.same(await list(stranger.token), [])
    t.notMatch(JSON.stringify(await list()), /publicKey|public_key|counter|handle/)
    t.equal((await call('GET', '/api/auth/passkeys')).status, 401)
  })

  t.test('are renamed', async (t) => {
    await panel.age(owner.token)
    const { status, body } = await call('PATCH', `/api/auth/passkeys/${ids[0]}`, {
      token: owner.token,
      body: { name: 'Téléphone 📱' },
    })
    t.equal(status, 200, 'in a session that is not fresh')
    t.match(body.passkey, { id: ids[0], name: 'Téléphone 📱' })
    t.equal((await list())[0].name, 'Téléphone 📱')
    t.ok(audited.some(({ action, target }) => action === 'passkey.renamed' && target?.id === ids[0]))
    for (const name of ['', 'a\nb', 'x'.repeat(201), null, 1, [], {}, true, undefined]) {
      const answer = await call('PATCH', `/api/auth/passkeys/${ids[0]}`, { token: owner.token, body: { name } })
      t.equal(answer.status, 400)
      t.equal(answer.body.errors[0].path, '/name')
    }
  })

  t.test("another's is not there", async (t) => {
    for (const id of [ids[0], randomUUID(), 'x', "1'--", '%00']) {
      for (const [method, body] of [
        ['PATCH', { name: 'Mine' }],
        ['DELETE', undefined],
      ] as const) {
        const { status } = await call(method, `/api/auth/passkeys/${id}`, { token: stranger.token, body })
        t.ok(status === 404 || (id === '%00' && status === 400), `${method} ${id}: ${status}`)
      }
    }
    t.equal((await list())[0].name, 'Téléphone 📱')
  })

  t.test('are removed in a fresh session, and sign nobody in then', async (t) => {
    const remove = (token: string) => call('DELETE', `/api/auth/passkeys/${ids[0]}`, { token })
    const stale = await remove(owner.token)
    t.equal(stale.status, 403)
    t.equal(stale.body.error, 'reauthentication_required')
    const token = await panel.login(owner.email)
    t.same((await remove(token)).body, { success: true })
    t.equal((await remove(token)).status, 404, 'again')
    t.equal((await signIn(call, first)).status, 401)
    t.equal((await signIn(call, second)).status, 200)
    t.ok(audited.some(({ action, target }) => action === 'passkey.removed' && target?.id === ids[0]))
    t.equal((await register(call, panel.authenticator(), { token })).status, 200, 'another in its place')
  })
})
