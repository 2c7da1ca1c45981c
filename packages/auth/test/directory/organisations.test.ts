import { randomUUID } from 'node:crypto'
import {
  Authenticator,
  Database,
  type DirectoryChange,
  definePlugin,
  type Principal,
  UserDirectory,
} from '@sallyport/core'
import t from 'tap'
import { directory } from '../../dist/index.js'
import type { Answer, CallOptions } from '../support/client.js'
import { startPanel } from '../support/panel.js'

const admin = { email: 'admin@localhost', password: 'correct horse battery' }
let counter = 0

/** Keys of a test: `ApiKey <user's id> <permissions, joined by commas>`. */
const testKeys = definePlugin({
  name: 'test.keys',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services, scope }) {
    const authenticate = ({ headers }: { headers: Readonly<Record<string, string | string[] | undefined>> }) => {
      const [, userId, permissions = ''] = /^ApiKey (\S+) (\S*)$/.exec(String(headers['authorization'])) ?? []
      if (userId === undefined) return { kind: 'absent' as const }
      const principal: Principal = {
        kind: 'apiKey',
        id: randomUUID(),
        userId,
        permissions: permissions.split(','),
        memberships: [],
        strategy: 'test',
      }
      return { kind: 'authenticated' as const, principal }
    }
    scope.defer(services.authenticator.use({ name: 'test', schemes: ['ApiKey'], authenticate }))
  },
})

interface Person {
  readonly id: string
  readonly email: string
  readonly token: string
}

t.test('organisations', async (t) => {
  const { kernel, call, audited } = await startPanel(t, {
    users: directory({ firstAdministrator: admin }),
    strategies: [testKeys()],
  })
  const users = kernel.get(UserDirectory)
  const changes: DirectoryChange[] = []
  users.onChange((change) => void changes.push(change))
  const login = async (body: { email: string; password: string }): Promise<string> =>
    (await call('POST', '/api/auth/login', { body })).body.token
  const token = await login(admin)

  const person = async (permissions: string[] = []): Promise<Person> => {
    counter += 1
    const credentials = { email: `person-${counter}@example.org`, password: `password ${counter}` }
    const { body } = await call('POST', '/api/users', { token, body: { ...credentials, permissions } })
    return { id: body.user.id, email: credentials.email, token: await login(credentials) }
  }
  const as = (who: Person | string, body?: unknown): CallOptions => ({
    token: typeof who === 'string' ? who : who.token,
    ...(body !== undefined && { body }),
  })
  const keyOf = ({ id }: Person, permissions: string, body?: unknown): CallOptions => ({
    headers: { authorization: `ApiKey ${id} ${permissions}` },
    ...(body !== undefined && { body }),
  })
  const create = async (owner: Person, name = 'Guild'): Promise<string> => {
    const { status, body } = await call('POST', '/api/organisations', as(owner, { name }))
    t.equal(status, 201)
    return body.organisation.id
  }
  const put = (by: Person | string, id: string, { id: userId }: Person, role: string): Promise<Answer> =>
    call('PUT', `/api/organisations/${id}/members/${userId}`, as(by, { role }))
  const drop = (by: Person | string, id: string, { id: userId }: Person): Promise<Answer> =>
    call('DELETE', `/api/organisations/${id}/members/${userId}`, as(by))
  const rolesIn = async (id: string): Promise<Record<string, string>> => {
    const { body } = await call('GET', `/api/organisations/${id}`, as(token))
    return Object.fromEntries(
      body.members.map((member: { userId: string; role: string }) => [member.userId, member.role]),
    )
  }

  t.test('are made by anybody, who owns them, and seen by their members alone', async (t) => {
    const [owner, member, stranger] = [await person(), await person(), await person()]
    const made = await call('POST', '/api/organisations', as(owner, { name: 'Guild' }))
    t.equal(made.status, 201)
    const { organisation } = made.body
    t.match(organisation, { name: 'Guild', quotas: null, role: 'owner' })
    t.same(Object.keys(organisation).sort(), ['createdAt', 'id', 'name', 'quotas', 'role', 'updatedAt'])
    t.same((await users.findById(owner.id))?.memberships, [{ organisationId: organisation.id, role: 'owner' }])
    t.match(await put(owner, organisation.id, member, 'member'), {
      status: 200,
      body: { member: { userId: member.id, email: member.email, name: null, role: 'member' } },
    })
    const path = `/api/organisations/${organisation.id}`
    const shown = (await call('GET', path, as(member))).body
    t.equal(shown.organisation.role, 'member')
    t.same(
      shown.members.map(({ userId, role }: { userId: string; role: string }) => [userId, role]),
      [
        [owner.id, 'owner'],
        [member.id, 'member'],
      ],
    )
    t.same((await call('GET', '/api/organisations', as(member))).body, {
      organisations: [shown.organisation],
      total: 1,
    })
    t.same((await call('GET', '/api/organisations', as(stranger))).body, { organisations: [], total: 0 })
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { name: 'Mine' }],
      ['DELETE', undefined],
    ] as const) {
      t.equal((await call(method, path, as(stranger, body))).status, 404, method)
      t.equal((await call(method, path, body ? { body } : {})).status, 401, method)
    }
    t.equal((await put(stranger, organisation.id, stranger, 'owner')).status, 404)
    t.equal((await drop(stranger, organisation.id, owner)).status, 404)
    for (const wrong of ['x', randomUUID(), '%27', '%F0%9F%99%82']) {
      t.equal((await call('GET', `/api/organisations/${wrong}`, as(token))).status, 404, wrong)
      t.equal((await call('PUT', `${path}/members/${wrong}`, as(owner, { role: 'admin' }))).status, 404, wrong)
      t.equal((await call('DELETE', `${path}/members/${wrong}`, as(owner))).status, 404, wrong)
    }
    t.same(await users.findOrganisation?.(organisation.id), { id: organisation.id, name: 'Guild' })
    t.equal((await call('DELETE', path, as(owner))).status, 200)
    t.equal((await call('GET', path, as(member))).status, 404)
    t.same((await users.findById(member.id))?.memberships, [])
    t.equal(await users.findOrganisation?.(organisation.id), undefined)
  })

  t.test('give each role its rights', async (t) => {
    const [owner, lead, member, other] = [await person(), await person(), await person(), await person()]
    const id = await create(owner)
    await put(owner, id, lead, 'admin')
    await put(owner, id, member, 'member')
    const rename = (who: Person) => call('PATCH', `/api/organisations/${id}`, as(who, { name: 'Clan' }))
    t.equal((await rename(member)).status, 403)
    t.match(await rename(lead), { status: 200, body: { organisation: { name: 'Clan', role: 'admin' } } })
    t.equal((await put(member, id, other, 'member')).status, 403)
    t.equal((await put(member, id, member, 'admin')).status, 403)
    t.equal((await drop(member, id, lead)).status, 403)
    for (const attempt of [
      put(lead, id, lead, 'owner'),
      put(lead, id, other, 'owner'),
      put(lead, id, owner, 'member'),
      put(lead, id, owner, 'owner'),
      drop(lead, id, owner),
      put(lead, id, { ...owner, id: owner.id.toUpperCase() }, 'member'),
      drop(lead, id, { ...owner, id: owner.id.toUpperCase() }),
    ]) {
      t.match(await attempt, { status: 403, body: { error: 'forbidden' } }, 'an admin makes and removes no owner')
    }
    t.equal((await call('DELETE', `/api/organisations/${id}`, as(lead))).status, 403)
    t.equal((await put(lead, id, other, 'admin')).status, 200)
    t.equal((await drop(other, id, lead)).status, 200)
    t.equal((await drop(member, id, member)).status, 200, 'anybody may leave')
    t.equal((await drop(owner, id, member)).status, 404)
    t.same(await rolesIn(id), { [owner.id]: 'owner', [other.id]: 'admin' })
  })

  t.test('keep their last owner', async (t) => {
    const [owner, second] = [await person(), await person()]
    const id = await create(owner)
    await put(owner, id, second, 'admin')
    const self = { ...owner, id: owner.id.toUpperCase() }
    for (const attempt of [
      put(owner, id, owner, 'member'),
      drop(owner, id, owner),
      put(owner, id, self, 'admin'),
      drop(token, id, self),
    ]) {
      t.match(await attempt, { status: 409, body: { error: 'last_owner' } })
    }
    t.match(await call('DELETE', `/api/users/${owner.id}`, as(token)), { status: 409, body: { error: 'last_owner' } })
    await put(owner, id, second, 'owner')
    t.equal((await drop(owner, id, owner)).status, 200)
    t.same(await rolesIn(id), { [second.id]: 'owner' })
  })

  t.test('end with their only member', async (t) => {
    const [owner, member] = [await person(), await person()]
    const [alone, shared] = [await create(owner), await create(owner)]
    await put(owner, shared, member, 'owner')
    t.equal((await call('DELETE', `/api/users/${owner.id}`, as(token))).status, 200)
    t.equal((await call('GET', `/api/organisations/${alone}`, as(token))).status, 404)
    t.same(await rolesIn(shared), { [member.id]: 'owner' })
    const record = audited.find(({ action, target }) => action === 'user.deleted' && target?.id === owner.id)
    t.same(record?.data, { organisations: [alone] })
  })

  t.test('are open to holders of permissions as far as these go', async (t) => {
    const [owner, reader, writer] = [
      await person(),
      await person(['organisations:read']),
      await person(['organisations:read', 'organisations:write']),
    ]
    const id = await create(owner)
    const path = `/api/organisations/${id}`
    const seen = await call('GET', path, as(reader))
    t.equal(seen.status, 200)
    t.notOk('role' in seen.body.organisation)
    const list = (await call('GET', '/api/organisations?limit=500', as(reader))).body
    t.ok(list.organisations.some((entry: { id: string }) => entry.id === id))
    t.equal(list.total, list.organisations.length)
    t.equal((await call('GET', '/api/organisations?limit=1&offset=1', as(reader))).body.organisations.length, 1)
    t.equal((await call('PATCH', path, as(reader, { name: 'x' }))).status, 403)
    t.equal((await put(reader, id, reader, 'owner')).status, 403)
    t.equal((await put(writer, id, reader, 'owner')).status, 200)
    t.equal((await call('DELETE', path, as(writer))).status, 200)
  })

  t.test('have quotas that only holders of organisations:write set', async (t) => {
    const owner = await person()
    const id = await create(owner)
    const set = (who: Person | string, quotas: unknown) =>
      call('PATCH', `/api/organisations/${id}`, as(who, { quotas }))
    t.equal((await set(owner, { allocationsPerOrganisation: 9 })).status, 403)
    t.same((await set(token, { allocationsPerOrganisation: 9, seats: 3 })).body.organisation.quotas, {
      allocationsPerOrganisation: 9,
      seats: 3,
    })
    t.same((await users.findOrganisation?.(id))?.quotas, { allocationsPerOrganisation: 9, seats: 3 })
    t.same((await set(token, { seats: null })).body.organisation.quotas, { allocationsPerOrganisation: 9 })
    t.equal(
      (await call('PATCH', `/api/organisations/${id}`, as(owner, { name: 'x' }))).body.organisation.quotas.seats,
      undefined,
    )
    t.equal((await set(token, null)).body.organisation.quotas, null)
  })

  t.test('give an API key nothing but its permissions', async (t) => {
    const owner = await person(['organisations:write'])
    const id = await create(owner)
    const path = `/api/organisations/${id}`
    const read = 'organisations:read'
    const write = 'organisations:write'
    t.equal((await call('GET', '/api/organisations', keyOf(owner, 'servers:read'))).status, 403)
    t.equal((await call('POST', '/api/organisations', keyOf(owner, read, { name: 'x' }))).status, 403)
    t.equal((await call('GET', path, keyOf(owner, 'servers:read'))).status, 404)
    t.equal((await call('PATCH', path, keyOf(owner, 'servers:read', { name: 'x' }))).status, 404)
    t.equal((await call('PATCH', path, keyOf(owner, read, { name: 'x' }))).status, 403)
    t.equal((await call('DELETE', path, keyOf(owner, read))).status, 403)
    t.equal((await call('DELETE', `${path}/members/${owner.id}`, keyOf(owner, read))).status, 403)
    t.notOk('role' in (await call('GET', path, keyOf(owner, read))).body.organisation)
    const made = await call('POST', '/api/organisations', keyOf(owner, write, { name: 'By key' }))
    t.equal(made.status, 201)
    t.same(await rolesIn(made.body.organisation.id), { [owner.id]: 'owner' })
    t.equal((await call('DELETE', path, keyOf(owner, write))).status, 200)
  })

  t.test('are so many for each owner, however they come by them', async (t) => {
    const [owner, giver] = [await person(), await person()]
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => call('POST', '/api/organisations', as(owner, { name: 'One of many' }))),
    )
    t.equal(answers.filter(({ status }) => status === 201).length, 20)
    for (const { status, body } of answers)
      if (status !== 201) t.match({ status, body }, { status: 409, body: { error: 'organisation_limit' } })
    const given = await create(giver)
    t.equal((await put(giver, given, owner, 'member')).status, 200)
    t.match(await put(giver, given, owner, 'owner'), { status: 409, body: { error: 'organisation_limit' } })
    t.equal((await users.findById(owner.id))?.memberships.length, 21)
  })

  t.test('have so many members', async (t) => {
    const [owner, late] = [await person(), await person()]
    const id = await create(owner)
    await kernel.get(Database).sequelize.query(
      `WITH made AS (
         INSERT INTO auth_users (id, email, email_normalised, password_hash, permissions, suspended, security_stamp, created_at, updated_at)
         SELECT gen_random_uuid(), 'm' || n, 'm' || n, '', '{}', false, gen_random_uuid(), now(), now()
         FROM generate_series(2, 1000) n RETURNING id)
       INSERT INTO auth_memberships SELECT $1, id, 'member' FROM made`,
      { bind: [id] },
    )
    t.match(await put(owner, id, late, 'member'), { status: 409, body: { error: 'member_limit' } })
    t.equal((await call('GET', `/api/organisations/${id}`, as(owner))).body.members.length, 1_000)
  })

  t.test('membership is in force and told at once', async (t) => {
    const [owner, member] = [await person(), await person()]
    const id = await create(owner)
    const role = async () => (await call('GET', '/api/auth/session', as(member))).body.user.memberships[0]?.role
    const told = () => changes.filter(({ userId, change }) => userId === member.id && change === 'permissions').length
    t.equal(await role(), undefined)
    await put(owner, id, member, 'admin')
    t.equal(await role(), 'admin')
    t.equal(told(), 1)
    await put(owner, id, member, 'admin')
    t.equal(told(), 1, 'nothing has changed')
    await put(owner, id, member, 'member')
    t.equal(await role(), 'member')
    await drop(owner, id, member)
    t.equal(await role(), undefined)
    await put(owner, id, member, 'member')
    await call('DELETE', `/api/organisations/${id}`, as(owner))
    t.equal(await role(), undefined)
    t.equal(told(), 5)
  })

  t.test('are in the audit log', async (t) => {
    const [owner, member] = [await person(), await person()]
    const id = await create(owner)
    await put(owner, id, member, 'member')
    await put(owner, id, member, 'admin')
    await drop(owner, id, member)
    await call('PATCH', `/api/organisations/${id}`, as(owner, { name: 'Renamed' }))
    await call('DELETE', `/api/organisations/${id}`, as(owner))
    const records = audited.filter(({ target }) => target?.id === id)
    t.same(
      records.map(({ action, data }) => [action, data]),
      [
        ['organisation.created', { name: 'Guild' }],
        ['organisation.member-added', { userId: member.id, role: 'member', previous: null }],
        ['organisation.member-changed', { userId: member.id, role: 'admin', previous: 'member' }],
        ['organisation.member-removed', { userId: member.id, previous: 'admin' }],
        ['organisation.changed', { name: 'Renamed' }],
        ['organisation.deleted', undefined],
      ],
    )
    t.ok(
      records.every(
        ({ actor, ip, requestId }) => typeof actor === 'object' && actor.id === owner.id && ip && requestId,
      ),
    )
  })

  t.test('a field that is not what it must be is named', async (t) => {
    const owner = await person()
    const id = await create(owner)
    const path = `/api/organisations/${id}`
    const long = 'x'.repeat(1_000_000)
    const anything = [[], {}, null, true, 1, long]
    const targets: [string, string, string, unknown[]][] = [
      ['POST', '/api/organisations', 'name', [...anything, '', 'a\u0000b', 'a\nb']],
      ['PATCH', path, 'name', [...anything, '', 'a\u0000b', 'a\nb']],
      [
        'PATCH',
        path,
        'quotas',
        [[], true, 1, long, { x: -1 }, { x: 1.5 }, { x: '1' }, { 'a b': 1 }, { X: 1 }, { x: 1e12 }],
      ],
      ['PATCH', path, 'quotas', [Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`q${n}`, 1]))]],
      ['PUT', `${path}/members/${owner.id}`, 'role', [...anything, 'Owner', 'root', ['owner']]],
    ]
    for (const [method, url, field, values] of targets) {
      for (const value of values) {
        const answer = await call(method, url, { token, body: { [field]: value } })
        t.equal(answer.status, 400, `${method} ${field} ${JSON.stringify(value).slice(0, 30)}`)
        t.ok(
          answer.body.errors?.[0].path.startsWith(`/${field}`),
          `${method} ${field} ${JSON.stringify(answer.body.errors).slice(0, 200)}`,
        )
      }
      t.equal((await call(method, url, { token, body: { id: randomUUID() } })).status, 400)
      t.equal((await call(method, url, { token, body: [] })).status, 400)
    }
    t.equal((await call('PATCH', path, { token, body: { quotas: { ['__proto__x']: 1 } } })).status, 400)
    for (const query of ['limit=0', 'limit=x', 'limit=501', 'offset=-1', 'x=1']) {
      t.equal((await call('GET', `/api/organisations?${query}`, { token })).status, 400, query)
    }
  })
})
