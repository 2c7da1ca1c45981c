import type { Principal } from '@sallyport/core'
import t from 'tap'
import { reaches, reachOf } from '../dist/access.js'

const user = (id: string, more: Partial<Principal> = {}): Principal => ({
  kind: 'user',
  id,
  userId: id,
  permissions: [],
  memberships: [],
  strategy: 'test',
  ...more,
})
const personal = { id: 'd1', ownerId: 'alice', organisationId: null }
const shared = { id: 'd2', ownerId: 'alice', organisationId: 'acme' }
const member = (role: 'owner' | 'admin' | 'member') => ({ memberships: [{ organisationId: 'acme', role }] })

const table: readonly [string, Principal, readonly [boolean, boolean]][] = [
  ['the owner, no longer in the organisation', user('alice'), [true, false]],
  ['the owner, in the organisation', user('alice', member('member')), [true, true]],
  ['an admin of the organisation', user('bob', member('admin')), [false, true]],
  ['an owner of the organisation', user('bob', member('owner')), [false, true]],
  ['a member of the organisation', user('bob', member('member')), [false, false]],
  ['a stranger', user('carol'), [false, false]],
  ['a reader of everything', user('carol', { permissions: ['tunnels:read'] }), [true, true]],
  ['an administrator', user('carol', { permissions: ['*'] }), [true, true]],
  ['the device itself', user('d1', { kind: 'device', userId: 'alice' }), [true, false]],
  ['another device of the owner', user('d9', { kind: 'device', userId: 'alice' }), [false, false]],
]

for (const [who, principal, expected] of table) {
  t.test(who, async (t) => {
    const reach = reachOf(principal, 'read')
    t.same([reaches(reach, personal), reaches(reach, shared)], expected)
  })
}

t.test('to read is not to write', async (t) => {
  const reader = user('carol', { permissions: ['tunnels:read'] })
  t.notOk(reaches(reachOf(reader, 'write'), personal))
})

t.test("an API key without the permission reaches nothing, not even its owner's", async (t) => {
  const key = user('k1', { kind: 'apiKey', userId: 'alice', permissions: ['servers:read'] })
  t.throws(() => reachOf(key, 'read'), { code: 'CORE_ERR_PERMISSION_REQUIRED' })
})
