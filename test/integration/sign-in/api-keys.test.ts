// API keys: never more than their owner, never more than what made them.
import t from 'tap'
import { until } from '../../support/deadline.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type Person, type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'

let panel: SignInPanel

t.before(async () => {
  panel = await startSignInPanel(t)
})

const make = (by: Carried, fields: object): Promise<Reply> =>
  panel.send('POST', '/api/apikeys', { ip: panel.newIp(), ...by, body: { name: 'key', type: 'client', ...fields } })
const status = async (path: string, carried: Carried) => (await panel.send('GET', path, carried)).status
const change = (person: Person, body: object) =>
  panel.ok('PATCH', `/api/users/${person.id}`, { bearer: panel.admin.token, body })

/** Whether a key that was given after all opens what it should not. */
async function opensNothing({ body, status: made }: Reply, path: string): Promise<boolean> {
  if (made === 403) return true
  return made === 201 && (await status(path, { apiKey: body.apiKey })) === 403
}

t.test('a key never exceeds whoever makes it', async (t) => {
  const person = await panel.newPerson(['servers:read'])
  for (const permissions of [['*'], ['users:read'], ['servers:read', 'users:read'], ['users:*']]) {
    t.ok(await opensNothing(await make({ bearer: person.token }, { permissions }), '/api/users'), `${permissions}`)
  }
  t.equal((await make({ bearer: person.token }, { type: 'admin' })).status, 403, 'an administrator’s key')
  t.equal((await make({ bearer: person.token }, { type: 'admin', permissions: ['*'] })).status >= 400, true)
  const all = await panel.newPerson(['users:*', 'apikeys:*', 'settings:*', 'audit:*'])
  t.equal((await make({ bearer: all.token }, { type: 'admin' })).status, 403, 'without * itself')
})

t.test('a key for another user needs users:write and gives no more than both have', async (t) => {
  const [person, victim, clerk] = [
    await panel.newPerson(['servers:read']),
    await panel.newPerson(['servers:read']),
    await panel.newPerson(['users:write', 'servers:read']),
  ]
  t.equal((await make({ bearer: person.token }, { permissions: [], userId: victim.id })).status, 403, 'without it')
  t.equal((await make({ bearer: person.token }, { permissions: [], userId: panel.admin.id })).status, 403)
  t.equal((await make({ bearer: clerk.token }, { permissions: [], userId: victim.id })).status, 201, 'with it')
  const forAdmin = await make({ bearer: clerk.token }, { permissions: ['*'], userId: panel.admin.id })
  t.ok(await opensNothing(forAdmin, '/api/settings'), 'all permissions in the administrator’s name')
  t.equal((await make({ bearer: clerk.token }, { type: 'admin', userId: panel.admin.id })).status, 403)
  const nobody = '00000000-0000-4000-8000-000000000000'
  t.match((await make({ bearer: clerk.token }, { permissions: [], userId: nobody })).status, /^40[04]$/)
})

t.test('a key makes, changes and rotates none to more than it has', async (t) => {
  const owner = await panel.newPerson(['servers:read', 'servers:write', 'users:read'])
  const narrow = await panel.newKey(owner, { permissions: ['servers:read'] })
  const wide = await panel.newKey(owner, { permissions: ['servers:read', 'servers:write', 'users:read'] })
  const by = { apiKey: narrow.key }
  for (const permissions of [['users:read'], ['servers:*'], ['*'], ['servers:read', 'users:read']]) {
    t.ok(await opensNothing(await make(by, { permissions }), '/api/users'), `makes ${permissions}`)
    for (const id of [narrow.id, wide.id]) {
      await panel.send('PATCH', `/api/apikeys/${id}`, { ...by, body: { permissions } })
    }
  }
  t.equal(await status('/api/users', by), 403, 'it has become no more')
  const omitted = await make(by, {})
  t.ok(await opensNothing(omitted, '/api/users'), 'leaving the permissions out does not give the owner’s')
  t.equal((await make(by, { type: 'admin' })).status, 403)
  const rotated = await panel.send('POST', `/api/apikeys/${wide.id}/rotate`, by)
  t.match(rotated.status, /^40[34]$/, 'a wider one of the same owner is not its to rotate')
  t.equal(await status('/api/users', { apiKey: wide.key }), 200, 'which is as it was')
  const lifted = await panel.send('PATCH', `/api/apikeys/${wide.id}`, { ...by, body: { allowedIps: ['192.0.2.1'] } })
  t.match(lifted.status, /^40[34]$/, 'nor to change')
  const removed = await panel.send('DELETE', `/api/apikeys/${wide.id}`, by)
  t.not(removed.status, 500)
})

t.test('a key frees itself of no bound', async (t) => {
  const owner = await panel.newPerson(['users:read'])
  const soon = new Date(Date.now() + 3_600_000).toISOString()
  const { id, key } = await panel.newKey(owner, {
    permissions: ['users:read'],
    expiresAt: soon,
    allowedIps: ['192.0.2.0/24'],
  })
  const by = { apiKey: key, ip: '192.0.2.7' }
  t.equal(await status('/api/users', by), 200)
  for (const body of [
    { expiresAt: null },
    { expiresAt: '2099-01-01T00:00:00Z' },
    { allowedIps: [] },
    { allowedIps: ['0.0.0.0/0', '::/0'] },
  ]) {
    await panel.send('PATCH', `/api/apikeys/${id}`, { ...by, body })
  }
  const { body } = await panel.ok('GET', `/api/apikeys/${id}`, { bearer: owner.token })
  t.equal(Date.parse(body.entry.expiresAt), Date.parse(soon), 'its end')
  t.same(body.entry.allowedIps, ['192.0.2.0/24'], 'its addresses')
  const made = await make(by, { permissions: ['users:read'] })
  if (made.status === 201) {
    const { entry, apiKey } = made.body
    t.ok(entry.expiresAt !== null && Date.parse(entry.expiresAt) <= Date.parse(soon), 'what it makes ends no later')
    t.not(await status('/api/users', { apiKey, ip: '198.51.100.1' }), 200, 'and is used from nowhere else')
  }
})

t.test('keys of another are not found', async (t) => {
  const [victim, attacker] = [await panel.newPerson(['servers:read']), await panel.newPerson(['servers:read'])]
  const { id, key } = await panel.newKey(victim, { permissions: ['servers:read'] })
  const { key: attackers } = await panel.newKey(attacker, { permissions: ['servers:read'] })
  for (const by of [{ bearer: attacker.token }, { apiKey: attackers }]) {
    t.equal((await panel.send('GET', `/api/apikeys/${id}`, by)).status, 404)
    t.equal((await panel.send('PATCH', `/api/apikeys/${id}`, { ...by, body: { name: 'mine' } })).status, 404)
    t.equal((await panel.send('POST', `/api/apikeys/${id}/rotate`, by)).status, 404)
    t.equal((await panel.send('DELETE', `/api/apikeys/${id}`, by)).status, 404)
    t.notMatch((await panel.ok('GET', '/api/apikeys/my', by)).text, id)
  }
  t.equal(await status('/api/auth/session', { apiKey: key }), 200, 'it is as it was')
})

t.test('a key follows its owner down at once', async (t) => {
  const owner = await panel.newPerson(['users:read', '*'])
  const { key } = await panel.newKey(owner, { permissions: ['users:read'] })
  const { key: adminKey } = await panel.newKey(owner, { type: 'admin', permissions: undefined })
  t.equal(await status('/api/users', { apiKey: key }), 200)
  t.equal(await status('/api/settings', { apiKey: adminKey }), 200)
  await change(owner, { permissions: ['users:read'] })
  t.equal(await status('/api/users', { apiKey: key }), 200, 'what its owner has still')
  t.equal(await status('/api/users', { apiKey: adminKey }), 401, 'the administrator’s key is dead')
  await change(owner, { permissions: [] })
  t.equal(await status('/api/users', { apiKey: key }), 403, 'what its owner has no more')
})

t.test('a key changed by a letter, shortened, prolonged or rotated is none', async (t) => {
  const owner = await panel.newPerson()
  const { id, key } = await panel.newKey(owner)
  for (let index = 0; index < key.length; index++) {
    const other = key[index] === 'a' ? 'b' : 'a'
    const mistyped = `${key.slice(0, index)}${other}${key.slice(index + 1)}`
    const answer = await status('/api/auth/session', { apiKey: mistyped })
    if (answer !== 401) t.fail(`letter ${index}: ${answer}`)
  }
  for (const wrong of [key.slice(0, -1), `${key}a`, key.toUpperCase(), key.toLowerCase(), id, `${key.slice(0, 12)}`]) {
    if (wrong !== key) t.equal(await status('/api/auth/session', { xApiKey: wrong }), 401)
  }
  const { body } = await panel.ok('POST', `/api/apikeys/${id}/rotate`, { bearer: owner.token })
  t.equal(await status('/api/auth/session', { apiKey: key }), 401, 'the old one')
  t.equal(await status('/api/auth/session', { apiKey: body.apiKey }), 200, 'the new one')
  await panel.ok('DELETE', `/api/apikeys/${id}`, { bearer: owner.token })
  t.equal(await status('/api/auth/session', { apiKey: body.apiKey }), 401, 'deleted')
})

t.test('a key is shown once, and ends when it says', async (t) => {
  const owner = await panel.newPerson()
  const past = await make({ bearer: owner.token }, { permissions: [], expiresAt: '2020-01-01T00:00:00Z' })
  t.equal(past.status, 400, 'it cannot be made ended')
  const ends = new Date(Date.now() + 8_000).toISOString()
  const { key, id } = await panel.newKey(owner, { expiresAt: ends })
  const lists = await panel.ok('GET', '/api/apikeys/my', { bearer: owner.token })
  const one = await panel.ok('GET', `/api/apikeys/${id}`, { bearer: owner.token })
  const everybody = await panel.ok('GET', '/api/apikeys', { bearer: panel.admin.token })
  for (const { text } of [lists, one, everybody]) t.notOk(text.includes(key), 'no list shows it')
  t.equal(await status('/api/auth/session', { apiKey: key }), 200)
  await until('its end', async () => (await status('/api/auth/session', { apiKey: key })) === 401)
  t.ok(Date.now() >= Date.parse(ends), 'not earlier')
})

t.test('a key is used from its addresses alone', async (t) => {
  const owner = await panel.newPerson()
  const allowedIps = ['192.0.2.0/24', '2001:db8:1::/48', '198.51.100.7']
  const { key } = await panel.newKey(owner, { allowedIps })
  for (const ip of ['192.0.2.1', '192.0.2.255', '198.51.100.7', '2001:db8:1:ffff::1', '::ffff:192.0.2.1']) {
    t.equal(await status('/api/auth/session', { apiKey: key, ip }), 200, ip)
  }
  for (const ip of ['192.0.3.1', '198.51.100.8', '2001:db8:2::1', '::1', '127.0.0.1', '::ffff:192.0.3.1']) {
    t.match(await status('/api/auth/session', { apiKey: key, ip }), /^40[13]$/, ip)
  }
  const claimed = { 'x-forwarded-for': '192.0.2.1, 203.0.113.9' }
  t.match(
    await status('/api/auth/session', { apiKey: key, headers: claimed }),
    /^40[13]$/,
    'as the client itself claims',
  )
  for (const wrong of ['192.0.2.0/33', '192.0.2.1/24/8', 'localhost', '*', '192.0.2', '::1/129', '', '1'.repeat(300)]) {
    t.equal(
      (await make({ bearer: owner.token }, { permissions: [], allowedIps: [wrong] })).status,
      400,
      wrong.slice(0, 20),
    )
  }
})
