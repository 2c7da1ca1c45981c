import type { UserDirectory } from '@sallyport/core'
import { UserDirectory as Directory, definePlugin } from '@sallyport/core'
import t from 'tap'
import { admin, startPanel } from './support/panel.js'
import { until } from './support/until.js'
import type { TestUser } from './support/users.js'

/** Everybody exists, the organisation too until it is deleted. */
function directoryWith(organisations: Set<string>) {
  const handlers = new Set<(id: string) => void | Promise<void>>()
  const directory: UserDirectory = {
    findById: async (id) => ({ id, email: id, name: id, permissions: [], memberships: [], suspended: false }),
    findByEmail: async () => undefined,
    verifyPassword: async () => undefined,
    findOrganisation: async (id) => (organisations.has(id) ? { id, name: id } : undefined),
    onChange: () => () => undefined,
    onOrganisationDeleted(handler) {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
  }
  const plugin = definePlugin({
    name: 'test-directory',
    version: '1.0.0',
    provides: { directory: Directory },
    setup: () => ({ directory }),
  })()
  const remove = async (id: string) => {
    organisations.delete(id)
    for (const handler of handlers) await handler(id)
  }
  return { plugin, remove }
}

const organisations = new Set(['acme'])
const directory = directoryWith(organisations)
const panel = await startPanel({ plugins: [directory.plugin] })
t.teardown(() => panel.stop())
const tcp = { protocol: 'tcp', localPort: 25_565 }

t.test('a client key reaches what its owner reaches, and no more than it was given', async (t) => {
  const alices = await panel.enrol({ id: 'alice' })
  const bobs = await panel.enrol({ id: 'bob' })
  const mine = await panel.allocate(alices, tcp)
  const others = await panel.allocate(bobs, tcp)
  const key = (given: Partial<TestUser>): TestUser => ({ id: 'k1', kind: 'apiKey', userId: 'alice', ...given })
  const ids = async (as: TestUser) => (await panel.allocations(as)).map(({ id }) => id)
  const patch = async (as: TestUser, id: number) =>
    (await panel.call('PATCH', `/api/tunnel/allocations/${id}`, { as, json: { name: 'x' } })).status

  const none = key({ scopes: ['servers:read'] })
  t.equal((await panel.call('GET', '/api/tunnel/allocations', { as: none })).status, 403)
  t.equal((await panel.call('GET', '/api/tunnel/devices', { as: none })).status, 403)
  t.equal((await panel.call('POST', '/api/tunnel/device/start', { as: none, json: { name: 'x' } })).status, 403)

  const reader = key({ scopes: ['tunnels:read'] })
  t.same(await ids(reader), [mine.id])
  t.same([await patch(reader, mine.id), await patch(reader, others.id)], [403, 403])

  const writer = key({ scopes: ['tunnels:write'] })
  t.same([await patch(writer, mine.id), await patch(writer, others.id), await patch(writer, 999_999)], [200, 404, 404])
  t.equal((await panel.call('POST', '/api/tunnel/device/start', { as: writer, json: { name: 'x' } })).status, 200)

  const everything = key({ scopes: ['*'], permissions: ['*'] })
  t.same(await ids(everything), [mine.id, others.id])
})

t.test('an approval names an organisation that there is', async (t) => {
  const { body } = await panel.call('POST', '/api/tunnel/device/start', { json: { name: 'box' } })
  const approve = (organisationId: string) =>
    panel.call('POST', '/api/tunnel/device/approve', { as: admin, json: { userCode: body.userCode, organisationId } })
  const unknown = await approve('nobody')
  t.same([unknown.status, unknown.body.error], [400, 'organisation_unknown'])
  t.equal((await approve('acme')).status, 200)
})

t.test('with an organisation its devices go, and nobody else’s', async (t) => {
  const owner = { id: 'carol', memberships: [{ organisationId: 'acme', role: 'owner' as const }] }
  const shared = await panel.enrol(owner, { organisationId: 'acme' })
  const own = await panel.enrol(owner)
  await panel.allocate(shared, tcp)
  const kept = await panel.allocate(own, tcp)
  await directory.remove('acme')
  t.same(
    (await panel.devices(owner)).map(({ id }) => id),
    [own.id],
  )
  t.same(
    (await panel.allocations(owner)).map(({ id }) => id),
    [kept.id],
  )
  t.equal((await panel.call('GET', '/api/tunnel/allocations', { token: shared.token })).status, 401)
  const audited = await until('it is in the audit log', async () => {
    const { body } = await panel.call('GET', '/api/audit?action=device.deleted', { as: admin })
    return (body.entries ?? body.records ?? []).length > 0 ? body : undefined
  })
  t.match(JSON.stringify(audited), /organisation_deleted/)
})
