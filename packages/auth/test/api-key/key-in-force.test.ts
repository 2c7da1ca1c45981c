import type { DirectoryUser } from '@sallyport/core'
import { permitsAll } from '@sallyport/core'
import fc from 'fast-check'
import t from 'tap'
import { keyInForce, narrowPermissions } from '../../dist/strategies/api-key/key-in-force.js'
import type { KeyRecord } from '../../dist/strategies/api-key/key-record.js'

const person = (id: string, given: Partial<DirectoryUser> = {}): DirectoryUser => ({
  id,
  email: `${id}@example.com`,
  name: null,
  permissions: ['servers:*'],
  memberships: [],
  suspended: false,
  accessStamp: 'first',
  ...given,
})
const row = (given: Partial<KeyRecord> = {}): KeyRecord => ({
  id: 'k1',
  userId: 'owner',
  accessStamp: 'first',
  type: 'client',
  name: 'a key',
  permissions: ['servers:read'],
  allowedIps: [],
  prefix: 'sp_c_xxxxxx',
  madeByKey: null,
  madeByUser: null,
  madeByStamp: null,
  revision: 0,
  createdAt: new Date(0),
  expiresAt: null,
  lastUsedAt: null,
  ...given,
})
const find = (chain: readonly KeyRecord[], ...users: DirectoryUser[]) =>
  keyInForce(chain, new Map(users.map((user) => [user.id, user])))

t.test('a client key may what its list says and its owner may', async (t) => {
  t.same(find([row()], person('owner'))?.permissions, ['servers:read'])
  t.same(find([row({ permissions: ['servers:*'] })], person('owner', { permissions: ['servers:read'] }))?.permissions, [
    'servers:read',
  ])
  t.same(find([row()], person('owner', { permissions: [] }))?.permissions, [])
  const memberships = [{ organisationId: 'o', role: 'admin' as const }]
  t.same(find([row()], person('owner', { memberships }))?.memberships, memberships)
})

t.test('an admin key is dead when its owner is no administrator', async (t) => {
  const memberships = [{ organisationId: 'o', role: 'admin' as const }]
  const key = find([row({ type: 'admin' })], person('owner', { permissions: ['*'], memberships }))
  t.same([key?.permissions, key?.memberships], [['*'], []])
  t.equal(find([row({ type: 'admin' })], person('owner', { permissions: ['servers:*', 'users:*'] })), undefined)
})

t.test('a key is void without its owner, and for good after a suspension', async (t) => {
  t.equal(find([row()]), undefined)
  t.equal(find([row()], person('owner', { suspended: true })), undefined)
  t.equal(find([row()], person('owner', { accessStamp: 'second' })), undefined)
  t.equal(find([row({ accessStamp: null })], person('owner')), undefined)
  const { accessStamp, ...without } = person('owner')
  t.ok(find([row({ accessStamp: null })], without), 'a directory may do without stamps')
  t.equal(find([]), undefined)
})

t.test('who made it for its owner bounds it', async (t) => {
  const made = row({ madeByUser: 'maker', madeByStamp: 'first' })
  const owner = person('owner', {
    memberships: [
      { organisationId: 'a', role: 'owner' },
      { organisationId: 'b', role: 'member' },
      { organisationId: 'c', role: 'admin' },
    ],
  })
  const maker = (given: Partial<DirectoryUser> = {}) =>
    person('maker', {
      permissions: ['servers:read'],
      memberships: [
        { organisationId: 'a', role: 'member' },
        { organisationId: 'b', role: 'owner' },
      ],
      ...given,
    })
  const key = find([made], owner, maker())
  t.same(key?.permissions, ['servers:read'])
  t.same(key?.memberships, [
    { organisationId: 'a', role: 'member' },
    { organisationId: 'b', role: 'member' },
  ])
  t.same(find([made], owner, maker({ permissions: ['*'] }))?.memberships, owner.memberships)
  t.same(find([made], owner, maker({ permissions: [] }))?.permissions, [])
  t.equal(find([made], owner), undefined)
  t.equal(find([made], owner, maker({ suspended: true })), undefined)
  t.equal(find([made], owner, maker({ accessStamp: 'second' })), undefined)
})

t.test('the keys that made it bound it', async (t) => {
  const soon = new Date(1_000)
  const later = new Date(2_000)
  const first = row({ id: 'k3', expiresAt: later, allowedIps: ['10.0.0.0/8'] })
  const second = row({ id: 'k2', madeByKey: 'k3', expiresAt: soon, permissions: ['servers:*'] })
  const third = row({ id: 'k1', madeByKey: 'k2', permissions: ['servers:*'], allowedIps: ['10.1.0.0/16'] })
  const key = find([third, second, first], person('owner'))
  t.equal(key?.record.id, 'k1')
  t.same([key?.permissions, key?.expiresAt, key?.addresses.length], [['servers:read'], soon, 2])
  t.equal(find([third, second], person('owner')), undefined, 'one is missing, or there are too many')
  const ofAnother = row({ id: 'k3', userId: 'other' })
  t.equal(find([row({ madeByKey: 'k3' }), ofAnother], person('owner'), person('other', { suspended: true })), undefined)
  const admin = row({ type: 'admin', madeByKey: 'k3' })
  t.equal(find([admin, row({ id: 'k3' })], person('owner', { permissions: ['*'] })), undefined)
})

t.test('what is narrowed is within both', async () => {
  const word = fc.constantFrom('a', 'b', '*')
  const grant = fc.tuple(fc.constantFrom('a', 'b'), fc.array(word, { maxLength: 2 })).map((all) => all.flat().join(':'))
  const grants = fc.array(fc.oneof({ weight: 5, arbitrary: grant }, { weight: 1, arbitrary: fc.constant('*') }))
  fc.assert(
    fc.property(grants, grants, (a, b) => {
      const both = narrowPermissions(a, b)
      return permitsAll(a, both) && permitsAll(b, both)
    }),
  )
})

t.test('lists that have much in common are cut', async (t) => {
  const a = Array.from({ length: 200 }, (_, n) => `x:*:${n}`)
  const b = Array.from({ length: 200 }, (_, n) => `x:${n}:*`)
  t.equal(narrowPermissions(a, b).length, 200)
})

t.test('long lists without patterns are not compared each with each', async (t) => {
  // Each with each that is 900 million times: no test waits so long.
  const [a, b] = ['a', 'b'].map((word) => Array.from({ length: 30_000 }, (_, n) => `x:${word}${n}`)) as [
    string[],
    string[],
  ]
  t.same(narrowPermissions(a, b), [])
  t.equal(narrowPermissions(a, [...b, ...a]).length, 200)
})
