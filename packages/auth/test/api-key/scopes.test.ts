import { Authenticator, definePlugin, Http } from '@sallyport/core'
import t from 'tap'
import { startKeyPanel } from './support.js'

/** Declares a scope, and shows a key's. */
const tunnels = definePlugin({
  name: 'test.tunnels',
  version: '1.0.0',
  requires: { authenticator: Authenticator, http: Http },
  setup({ services: { authenticator, http }, scope }) {
    scope.defer(authenticator.declareScopes(['tunnels:read', 'tunnels:write']))
    http.route({
      method: 'GET',
      url: '/test/scopes',
      access: 'authenticated',
      summary: 'Shows the scopes',
      tag: 'test',
      handler: ({ principal }) => ({ scopes: principal.scopes ?? null, permissions: principal.permissions }),
    })
  },
})

t.test('what every user may give to a key of their own', async (t) => {
  const panel = await startKeyPanel(t, { plugins: [tunnels()] })
  const user = await panel.addUser()
  const scopesOf = async (key: string) =>
    (await panel.call('GET', '/test/scopes', { headers: { 'x-api-key': key } })).body
  const both = ['tunnels:read', 'tunnels:write']

  t.test('it is a scope of the key, and no permission', async (t) => {
    const made = await panel.createKey(user, { permissions: both })
    t.equal(made.status, 201)
    t.same(made.body.entry.permissions, both)
    t.same(await scopesOf(made.body.apiKey), { scopes: both, permissions: [] })
  })

  t.test('nothing else is, and no pattern', async (t) => {
    for (const permissions of [['tunnels:approve'], ['tunnels:*'], ['*'], [...both, 'users:read']]) {
      const refused = await panel.createKey(user, { permissions })
      t.equal(refused.status, 403, permissions.join())
    }
  })

  t.test('a key gives another no more than it was given, and a change is no way round', async (t) => {
    const reader = await panel.newKey(user, { permissions: ['tunnels:read'] })
    const child = await panel.newKey({ key: reader.key }, { permissions: ['tunnels:read'] })
    t.same((await scopesOf(child.key)).scopes, ['tunnels:read'])
    t.equal((await panel.createKey({ key: reader.key }, { permissions: ['tunnels:write'] })).status, 403)
    const more = { headers: { 'x-api-key': reader.key }, body: { permissions: both } }
    t.equal((await panel.call('PATCH', `/api/apikeys/${reader.id}`, more)).status, 403)

    const writer = await panel.newKey(user, { permissions: ['tunnels:write'] })
    const by = { headers: { 'x-api-key': reader.key } }
    const changed = await panel.call('PATCH', `/api/apikeys/${writer.id}`, { ...by, body: { name: 'mine' } })
    t.equal(changed.status, 403)
    t.equal((await panel.call('POST', `/api/apikeys/${writer.id}/rotate`, by)).status, 403)

    await panel.call('PATCH', `/api/apikeys/${reader.id}`, { token: user.token, body: { permissions: [] } })
    t.same((await scopesOf(child.key)).scopes, [], 'what the maker loses its keys lose')
  })

  t.test("for another's key its maker must hold it", async (t) => {
    const helper = await panel.addUser(['users:write'])
    const refused = await panel.createKey(helper, { permissions: both, userId: user.id })
    t.equal(refused.status, 403)
    const made = await panel.createKey(panel.admin, { permissions: both, userId: user.id })
    t.equal(made.status, 201)
    t.same(await scopesOf(made.body.apiKey), { scopes: both, permissions: [] })
  })
})
