// Who may call what of sections 3 to 5: each route for each kind of caller.
import t from 'tap'
import type { Carried } from '../../support/raw-client.js'
import { type Person, type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'

let panel: SignInPanel

t.before(async () => {
  panel = await startSignInPanel(t)
})

const nobodysId = '00000000-0000-4000-8000-000000000000'

/** In the order of the columns below. */
const callers = [
  'nobody',
  'ordinary user',
  'holder of the permission',
  'administrator',
  'client key without it',
  'client key with it',
  'administrator’s key',
  'device',
  'suspended user',
] as const

type Row = [
  method: string,
  path: string,
  permission: string | undefined,
  body: ((unique: string) => object) | undefined,
  ...statuses: number[],
]

const password = 'long enough a password'
/** Whoever may decide on codes is told that there is no such code. */
function userCodeRow(verb: string): Row {
  const path = `/api/tunnel/device/${verb}`
  const body = () => ({ userCode: 'AAAA-0000' })
  return ['POST', path, 'tunnels:approve', body, 401, 403, 404, 404, 403, 404, 404, 403, 401]
}

const rows: Row[] = [
  //                                                              nobody user holder admin key key+ adminkey device suspended
  ['GET', '/api/users', 'users:read', undefined, 401, 403, 200, 200, 403, 200, 200, 403, 401],
  [
    'POST',
    '/api/users',
    'users:write',
    (u) => ({ email: `${u}@example.com`, password }),
    401,
    403,
    201,
    201,
    403,
    201,
    201,
    403,
    401,
  ],
  ['GET', `/api/users/${nobodysId}`, 'users:read', undefined, 401, 403, 404, 404, 403, 404, 404, 403, 401],
  [
    'PATCH',
    `/api/users/${nobodysId}`,
    'users:write',
    () => ({ name: 'x' }),
    401,
    403,
    404,
    404,
    403,
    404,
    404,
    403,
    401,
  ],
  ['DELETE', `/api/users/${nobodysId}`, 'users:write', undefined, 401, 403, 404, 404, 403, 404, 404, 403, 401],
  ['GET', '/api/settings', 'settings:write', undefined, 401, 403, 200, 200, 403, 200, 200, 403, 401],
  [
    'PATCH',
    '/api/settings',
    'settings:write',
    () => ({ features: { tunnels: true } }),
    401,
    403,
    200,
    200,
    403,
    200,
    200,
    403,
    401,
  ],
  ['GET', '/api/audit', 'audit:read', undefined, 401, 403, 200, 200, 403, 200, 200, 403, 401],
  ['GET', '/api/apikeys', 'apikeys:read', undefined, 401, 403, 200, 200, 403, 200, 200, 403, 401],
  ['GET', '/api/apikeys/my', undefined, undefined, 401, 200, 200, 200, 200, 200, 200, 403, 401],
  ['GET', `/api/apikeys/${nobodysId}`, undefined, undefined, 401, 404, 404, 404, 404, 404, 404, 403, 401],
  ['PATCH', `/api/apikeys/${nobodysId}`, undefined, () => ({ name: 'x' }), 401, 404, 404, 404, 404, 404, 404, 403, 401],
  ['DELETE', `/api/apikeys/${nobodysId}`, undefined, undefined, 401, 404, 404, 404, 404, 404, 404, 403, 401],
  ['POST', `/api/apikeys/${nobodysId}/rotate`, undefined, undefined, 401, 404, 404, 404, 404, 404, 404, 403, 401],
  ['GET', '/api/organisations', undefined, undefined, 401, 200, 200, 200, 403, 403, 200, 403, 401],
  ['GET', `/api/organisations/${nobodysId}`, undefined, undefined, 401, 404, 404, 404, 404, 404, 404, 403, 401],
  ['DELETE', `/api/organisations/${nobodysId}`, undefined, undefined, 401, 404, 404, 404, 404, 404, 404, 403, 401],
  ['GET', '/api/auth/sessions', undefined, undefined, 401, 200, 200, 200, 403, 403, 403, 403, 401],
  ['DELETE', `/api/auth/sessions/${nobodysId}`, undefined, undefined, 401, 404, 404, 404, 403, 403, 403, 403, 401],
  [
    'POST',
    '/api/auth/reauthenticate',
    undefined,
    () => ({ password: 'x' }),
    401,
    401,
    401,
    401,
    403,
    403,
    403,
    403,
    401,
  ],
  [
    'POST',
    '/api/auth/password',
    undefined,
    () => ({ currentPassword: 'x', newPassword: password }),
    401,
    401,
    401,
    401,
    403,
    403,
    403,
    403,
    401,
  ],
  ['GET', '/api/auth/2fa/setup', undefined, undefined, 401, 200, 200, 200, 403, 403, 403, 403, 401],
  [
    'POST',
    '/api/auth/2fa/disable',
    undefined,
    () => ({ token: '123456' }),
    401,
    409,
    409,
    409,
    403,
    403,
    403,
    403,
    401,
  ],
  ['GET', '/api/auth/passkey/register-challenge', undefined, undefined, 401, 200, 200, 200, 403, 403, 403, 403, 401],
  ['GET', '/api/auth/passkeys', undefined, undefined, 401, 200, 200, 200, 403, 403, 403, 403, 401],
  ['DELETE', `/api/auth/passkeys/${nobodysId}`, undefined, undefined, 401, 404, 404, 404, 403, 403, 403, 403, 401],
  ...['approve', 'deny'].map(userCodeRow),
]

async function deviceToken(owner: Person): Promise<string> {
  const { body: started } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'thing' } })
  const body = { userCode: started.userCode, ownerId: owner.id }
  await panel.ok('POST', '/api/tunnel/device/approve', { bearer: panel.admin.token, body })
  return (await panel.ok('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)).body.token
}

t.test('every route for every caller', async (t) => {
  const ordinary = await panel.newPerson()
  const ordinaryKey = await panel.newKey(ordinary)
  const adminKey = await panel.newKey(panel.admin, { type: 'admin', permissions: undefined })
  const device = await deviceToken(ordinary)
  const suspended = await panel.newPerson(['*'])
  await panel.ok('PATCH', `/api/users/${suspended.id}`, { bearer: panel.admin.token, body: { suspended: true } })
  const holders = new Map<string, { person: Person; key: string }>()
  const holderOf = async (permission: string) => {
    const known = holders.get(permission)
    if (known) return known
    const person = await panel.newPerson([permission])
    const { key } = await panel.newKey(person, { permissions: [permission] })
    holders.set(permission, { person, key })
    return { person, key }
  }

  for (const [method, path, permission, body, ...statuses] of rows) {
    const holder = permission ? await holderOf(permission) : { person: ordinary, key: ordinaryKey.key }
    const credentials: Carried[] = [
      {},
      { bearer: ordinary.token },
      { bearer: holder.person.token },
      { bearer: panel.admin.token },
      { apiKey: ordinaryKey.key },
      { apiKey: holder.key },
      { xApiKey: adminKey.key },
      { bearer: device },
      { bearer: suspended.token },
    ]
    t.equal(statuses.length, callers.length, `${method} ${path}`)
    for (const [index, caller] of callers.entries()) {
      const carried = { ip: panel.newIp(), ...credentials[index], body: body?.(`made-${index}-${path.length}`) }
      const reply = await panel.send(method, path, carried)
      t.equal(reply.status, statuses[index], `${method} ${path}: ${caller}`)
      if (reply.status === 401) t.match(reply.headers['www-authenticate'], /Bearer/, 'the schemes are named')
    }
  }
})

t.test('no session but an approver’s approves a user code that nobody owns', async (t) => {
  const person = await panel.newPerson()
  const { body: started } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'unowned' } })
  for (const more of [{}, { ownerId: person.id }, { name: 'mine' }]) {
    const body = { userCode: started.userCode, ...more }
    const reply = await panel.send('POST', '/api/tunnel/device/approve', { bearer: person.token, body })
    t.equal(reply.status, 403, JSON.stringify(more))
  }
  const { body } = await panel.ok('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  t.equal(body.approved, false)
})

t.test('nobody grants what they do not hold, nor takes over a holder of more', async (t) => {
  const clerk = await panel.newPerson(['users:write', 'users:read', 'servers:read'])
  const { key } = await panel.newKey(clerk, { permissions: ['users:write'] })
  const victim = await panel.newPerson(['settings:write'])
  const email = 'taken-over@example.com'
  const as: Record<string, Carried> = { session: { bearer: clerk.token }, key: { apiKey: key } }
  for (const [name, carried] of Object.entries(as)) {
    for (const permissions of [['*'], ['settings:write'], ['users:*'], ['servers:*'], ['servers:write']]) {
      const body = { email: `granted-${name}@example.com`, password, permissions }
      t.equal(
        (await panel.send('POST', '/api/users', { ...carried, body })).status,
        403,
        `${name} makes ${permissions}`,
      )
      for (const id of [clerk.id, victim.id]) {
        const reply = await panel.send('PATCH', `/api/users/${id}`, { ...carried, body: { permissions } })
        t.equal(reply.status, 403, `${name} gives ${permissions}`)
      }
    }
    for (const id of [victim.id, panel.admin.id]) {
      for (const body of [{ password }, { email }, { name: 'x' }, { suspended: true }, { permissions: [] }]) {
        const reply = await panel.send('PATCH', `/api/users/${id}`, { ...carried, body })
        t.equal(reply.status, 403, `${name} changes ${Object.keys(body)}`)
      }
      t.equal((await panel.send('DELETE', `/api/users/${id}`, carried)).status, 403, `${name} deletes`)
      t.equal((await panel.send('DELETE', `/api/users/${id}/2fa`, carried)).status, 403, `${name} removes 2FA`)
    }
  }
  const wider = await panel.send('PATCH', `/api/users/${clerk.id}`, {
    apiKey: key,
    body: { permissions: ['users:read'] },
  })
  t.equal(wider.status, 403, 'a key gives no more than it has itself, though its owner has it')
  const ordinary = await panel.newPerson(['servers:read'])
  const fine = await panel.send('PATCH', `/api/users/${ordinary.id}`, { bearer: clerk.token, body: { name: 'x' } })
  t.equal(fine.status, 200, 'a holder of less')
})

t.test('a grant covers no more parts than it names', async (t) => {
  const narrow = await panel.newPerson(['users', 'users:read:own', 'settings', 'audit:read:x', 'apikeys:*:read'])
  for (const path of ['/api/users', '/api/settings', '/api/audit', '/api/apikeys']) {
    t.equal((await panel.send('GET', path, { bearer: narrow.token })).status, 403, path)
  }
  const wide = await panel.newPerson(['users:*'])
  t.equal((await panel.send('GET', '/api/users', { bearer: wide.token })).status, 200, 'users:* covers users:read')
  t.equal((await panel.send('GET', '/api/settings', { bearer: wide.token })).status, 403, 'and nothing else')
})

t.test('sessions of another are not found', async (t) => {
  const [one, other] = [await panel.newPerson(), await panel.newPerson(['*'])]
  const { body } = await panel.ok('GET', '/api/auth/sessions', { bearer: one.token })
  const path = `/api/auth/sessions/${body.sessions[0].id}`
  t.equal((await panel.send('DELETE', path, { bearer: other.token })).status, 404, 'not even by an administrator')
  t.equal((await panel.send('GET', '/api/auth/session', { bearer: one.token })).status, 200)
})

t.test('an organisation is its members’ and each role’s own', async (t) => {
  const [owner, admin, member, stranger] = [
    await panel.newPerson(),
    await panel.newPerson(),
    await panel.newPerson(),
    await panel.newPerson(),
  ]
  const { body } = await panel.ok('POST', '/api/organisations', { bearer: owner.token, body: { name: 'ours' } })
  const path = `/api/organisations/${body.organisation.id}`
  const members = (person: Person) => `${path}/members/${person.id}`
  const put = (by: Person, whom: Person, role: string) =>
    panel.send('PUT', members(whom), { bearer: by.token, body: { role } })
  t.equal((await put(owner, admin, 'admin')).status, 200)
  t.equal((await put(admin, member, 'member')).status, 200, 'an admin makes a member')

  t.equal((await put(admin, stranger, 'owner')).status, 403, 'an admin makes no owner')
  t.equal((await put(admin, admin, 'owner')).status, 403, 'not of themselves')
  t.equal((await put(admin, owner, 'member')).status, 403, 'nor unmakes one')
  t.equal((await panel.send('DELETE', members(owner), { bearer: admin.token })).status, 403, 'nor removes one')
  t.equal((await panel.send('DELETE', path, { bearer: admin.token })).status, 403, 'nor deletes it')
  t.equal((await put(member, stranger, 'member')).status, 403, 'a member adds nobody')
  t.equal((await put(member, member, 'owner')).status, 403, 'nor becomes more')
  t.equal((await panel.send('PATCH', path, { bearer: member.token, body: { name: 'mine' } })).status, 403)
  t.equal(
    (await panel.send('PATCH', path, { bearer: owner.token, body: { quotas: { allocationsPerOrganisation: 999 } } }))
      .status,
    403,
    'an owner raises no quota',
  )
  for (const [method, at, sent] of [
    ['GET', path, undefined],
    ['PATCH', path, { name: 'x' }],
    ['DELETE', path, undefined],
    ['PUT', members(stranger), { role: 'owner' }],
    ['DELETE', members(member), undefined],
  ] as const) {
    t.equal((await panel.send(method, at, { bearer: stranger.token, body: sent })).status, 404, `a stranger: ${method}`)
  }
  t.notMatch((await panel.ok('GET', '/api/organisations', { bearer: stranger.token })).text, /ours/)
  t.equal((await panel.send('DELETE', members(owner), { bearer: owner.token })).status, 409, 'the last owner stays')
  t.equal((await put(owner, owner, 'member')).status, 409, 'as owner')
  const { body: after } = await panel.ok('GET', path, { bearer: owner.token })
  t.equal(after.members.length, 3)
})

t.test('no answer joins what the database knows of a user', async (t) => {
  const person = await panel.newTwoFactorPerson(['users:read'])
  const { body: organisation } = await panel.ok('POST', '/api/organisations', {
    bearer: person.token,
    body: { name: 'x' },
  })
  const { text: login } = await panel.login(person.email, person.password)
  const texts = [login]
  for (const path of [
    '/api/auth/session',
    '/api/auth/sessions',
    '/api/users',
    `/api/users/${person.id}`,
    `/api/organisations/${organisation.organisation.id}`,
    '/api/organisations',
    '/api/apikeys/my',
    '/api/auth/passkeys',
    '/api/audit',
  ]) {
    texts.push((await panel.ok('GET', path, { bearer: panel.admin.token })).text)
  }
  for (const text of texts) {
    t.notMatch(text, /hash|stamp|digest|sealed|argon2|normalised|publicKey/i)
    for (const secret of [person.secret, person.password, person.token, ...person.recoveryCodes])
      t.notOk(text.includes(secret))
  }
})
