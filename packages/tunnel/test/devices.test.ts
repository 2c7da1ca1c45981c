import { Audit, type AuditRecord, override } from '@sallyport/core'
import t from 'tap'
import { openChannel } from './support/channel.js'
import { admin, type Call, startPanel } from './support/panel.js'
import { type TestUser, testDirectory } from './support/users.js'

const records: AuditRecord[] = []
const directory = testDirectory()
const panel = await startPanel({
  plugins: [directory.plugin],
  kernel: {
    overrides: [override(Audit, { record: async (record: AuditRecord) => void records.push(record) } as never)],
  },
})
t.teardown(() => panel.stop())

const alice: TestUser = { id: 'alice' }
const bob: TestUser = { id: 'bob' }
const inAcme = (id: string, role: 'owner' | 'admin' | 'member'): TestUser => ({
  id,
  memberships: [{ organisationId: 'acme', role }],
})
const remove = (id: string, call: Call, path = '') => panel.call('DELETE', `/api/tunnel/devices/${id}${path}`, call)
const regenerate = (id: string, call: Call) => panel.call('POST', `/api/tunnel/devices/${id}/regenerate-token`, call)
const works = async (token: string) => (await panel.call('GET', '/api/tunnel/allocations', { token })).status

t.test('the list has the fields of the contract', async (t) => {
  const { id, userCode } = await panel.enrol(alice, { name: 'rig' })
  const device = (await panel.devices(alice)).find((one) => one.id === id)
  t.match(device, {
    id: /^[0-9a-f-]{36}$/,
    name: 'rig',
    kind: 'client',
    approved: true,
    userCode,
    expiresAt: null,
    online: false,
    version: null,
    organisationId: null,
    ownerId: 'alice',
    createdAt: /^\d{4}-\d\d-\d\dT.*Z$/,
  })
  t.ok(device && 'lastSeenAt' in device)
  const pending = await panel.call('POST', '/api/tunnel/device/start', { as: alice, json: { name: 'waiting' } })
  const waiting = (await panel.devices(alice)).find(({ name }) => name === 'waiting')
  t.match(waiting, { approved: false, userCode: pending.body.userCode, expiresAt: pending.body.expiresAt })
  t.notOk(JSON.stringify(waiting).includes(pending.body.deviceCode))
})

t.test('who sees and who may change what', async (t) => {
  const own = await panel.enrol(alice)
  const shared = await panel.enrol(inAcme('alice', 'admin'), { organisationId: 'acme' })
  const sees = async (as: TestUser) => {
    const ids = (await panel.devices(as)).map(({ id }) => id)
    return [ids.includes(own.id), ids.includes(shared.id)]
  }
  t.same(await sees(alice), [true, false], 'who has left the organisation has left its devices')
  t.same(await sees(inAcme('alice', 'member')), [true, true])
  t.same(await sees(inAcme('bob', 'admin')), [false, true])
  t.same(await sees(inAcme('bob', 'member')), [false, false])
  t.same(await sees(bob), [false, false])
  t.same(await sees({ id: 'auditor', permissions: ['tunnels:read'] }), [true, true])
  t.same(await sees({ id: 'k', kind: 'apiKey', userId: 'alice', permissions: ['tunnels:read'] }), [true, true])

  const key: TestUser = { id: 'k', kind: 'apiKey', userId: 'alice', permissions: ['servers:read'] }
  t.equal((await panel.call('GET', '/api/tunnel/devices', { as: key })).status, 403)
  t.equal((await panel.call('GET', '/api/tunnel/devices')).status, 401)
  t.equal((await panel.call('GET', '/api/tunnel/devices', { token: own.token })).status, 403, 'not for devices')

  for (const act of [remove, regenerate]) {
    t.equal((await act(own.id, { as: bob })).status, 404)
    t.equal((await act(shared.id, { as: inAcme('bob', 'member') })).status, 404)
    t.equal((await act(own.id, { as: { id: 'auditor', permissions: ['tunnels:read'] } })).status, 403)
    t.equal((await act(own.id, { as: key })).status, 403)
    t.equal((await act(own.id, { token: own.token })).status, 403)
    t.equal((await act(own.id, {})).status, 401)
    for (const id of ['nonsense', '00000000-0000-0000-0000-000000000000', "'", '%00']) {
      t.equal((await act(id, { as: admin })).status, id === '%00' ? 400 : 404, id)
    }
  }
  t.equal((await regenerate(shared.id, { as: inAcme('bob', 'owner') })).status, 200)
  t.equal((await remove(shared.id, { as: inAcme('bob', 'admin') })).status, 200)
})

t.test('a new token: the old one is dead and its channel closed', async (t) => {
  const device = await panel.enrol(alice)
  const allocation = await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
  const channel = await openChannel(panel, device.token)
  const { status, body, headers } = await regenerate(device.id, { as: alice })
  t.equal(status, 200)
  t.equal(body.success, true)
  t.equal(headers.get('cache-control'), 'no-store')
  t.equal(await channel.closed, 4403)
  t.equal(await works(device.token), 401)
  t.equal(await works(body.token), 200)
  t.equal(await (await openChannel(panel, device.token, false)).closed, 4401)
  const again = await openChannel(panel, body.token)
  t.equal((await again.message('state')).allocations[0]?.id, allocation.id, 'allocations stay')
  again.socket.close()
})

t.test('the device code gives out nothing after a new token was made', async (t) => {
  const started = await panel.call('POST', '/api/tunnel/device/start', { as: alice, json: { name: 'x' } })
  const pending = (await panel.devices(alice)).find(({ userCode }) => userCode === started.body.userCode)
  t.equal((await regenerate(pending?.id ?? '', { as: alice })).status, 409, 'and none is made before approval')
  await panel.call('POST', '/api/tunnel/device/approve', { as: admin, json: { userCode: started.body.userCode } })
  t.equal((await regenerate(pending?.id ?? '', { as: alice })).status, 200)
  const polled = await panel.call('GET', `/api/tunnel/device/poll?deviceCode=${started.body.deviceCode}`)
  t.equal(polled.status, 410)
})

t.test('deleted: channel closed, token dead, allocations gone, ports free at once', async (t) => {
  for (const path of ['', '/delete']) {
    const device = await panel.enrol(alice)
    const { port, id } = await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
    const channel = await openChannel(panel, device.token)
    t.same((await remove(device.id, { as: alice }, path)).body, { success: true })
    t.equal(await channel.closed, 4403)
    t.equal(await works(device.token), 401)
    t.notOk((await panel.devices(admin)).some((one) => one.id === device.id))
    t.notOk((await panel.allocations(admin)).some((one) => one.id === id))
    t.equal((await remove(device.id, { as: alice }, path)).status, 404)
    const other = await panel.enrol(bob)
    t.equal((await panel.allocate(other, { protocol: 'tcp', localPort: 1, port })).status, 'open')
    await remove(other.id, { as: bob })
  }
})

t.test('a suspended owner: tokens dead for good, channels closed, allocations gone', async (t) => {
  const mallory = { id: 'mallory' }
  const own = await panel.enrol(mallory)
  const shared = await panel.enrol(inAcme('mallory', 'admin'), { organisationId: 'acme' })
  await panel.allocate(own, { protocol: 'both', localPort: 1 })
  const channels = [await openChannel(panel, own.token), await openChannel(panel, shared.token)]
  await directory.change({ userId: 'mallory', change: 'suspended' })
  t.same(await Promise.all(channels.map(({ closed }) => closed)), [4403, 4403])
  t.same([await works(own.token), await works(shared.token)], [401, 401])
  t.notOk((await panel.allocations(admin)).some(({ deviceId }) => deviceId === own.id))
})

t.test('a deleted owner: personal devices go, those of an organisation stay with it', async (t) => {
  const own = await panel.enrol({ id: 'dora' })
  const shared = await panel.enrol(inAcme('dora', 'admin'), { organisationId: 'acme' })
  await directory.change({ userId: 'dora', change: 'deleted' })
  const left = await panel.devices(admin)
  t.notOk(left.some(({ id }) => id === own.id))
  t.match(
    left.find(({ id }) => id === shared.id),
    { ownerId: null, organisationId: 'acme' },
  )
  t.equal(await works(shared.token), 401)
})

t.test('every change is in the audit log, with nothing secret', async (t) => {
  records.length = 0
  const device = await panel.enrol(alice)
  const { id } = await panel.allocate(device, { protocol: 'udp', localPort: 9 })
  await panel.call('PATCH', `/api/tunnel/allocations/${id}`, { as: alice, json: { localPort: 10 } })
  await panel.call('POST', `/api/tunnel/allocations/${id}/close`, { as: alice })
  await panel.call('POST', `/api/tunnel/allocations/${id}/open`, { as: alice })
  await panel.call('DELETE', `/api/tunnel/allocations/${id}`, { as: alice })
  const { body } = await regenerate(device.id, { as: alice })
  await remove(device.id, { as: alice })
  t.same(
    records.map(({ action }) => action),
    [
      'device.enrolment_started',
      'device.approved',
      'allocation.created',
      'allocation.changed',
      'allocation.closed',
      'allocation.opened',
      'allocation.deleted',
      'device.token_regenerated',
      'device.deleted',
    ],
  )
  t.match(records.at(-1), { actor: { id: 'alice' }, target: { type: 'device', id: device.id }, ip: '127.0.0.1' })
  const text = JSON.stringify(records)
  for (const secret of [device.token, device.deviceCode, body.token]) t.notOk(text.includes(secret))
})

t.test('a device is renamed by who may change it', async (t) => {
  const rename = (id: string, call: Call, name: unknown = 'attic') =>
    panel.call('PATCH', `/api/tunnel/devices/${id}`, { ...call, json: { name } })
  const { id, token } = await panel.enrol(alice, { name: 'box' })
  records.length = 0
  const renamed = await rename(id, { as: alice })
  t.equal(renamed.status, 200)
  t.match(renamed.body, { success: true, device: { id, name: 'attic', approved: true } })
  t.match(
    (await panel.devices(alice)).find((one) => one.id === id),
    { name: 'attic' },
  )
  const [record, ...others] = records
  t.match(record, {
    action: 'device.renamed',
    target: { type: 'device', id },
    data: { name: 'attic', formerName: 'box' },
  })
  t.equal(others.length, 0)
  t.equal((await rename(id, { as: alice })).status, 200, 'to the name that it has')
  t.equal(records.length, 1, 'is no change')
  t.equal(await works(token), 200, 'its token works as before')

  t.equal((await rename(id, { as: bob })).status, 404)
  t.equal((await rename(id, { as: { id: 'reader', permissions: ['tunnels:read'] } })).status, 403)
  t.equal((await rename(id, { token })).status, 403, 'a device does not rename itself')
  t.equal((await rename(id, {})).status, 401)
  t.equal((await rename('00000000-0000-4000-8000-000000000000', { as: admin })).status, 404)
  t.equal((await rename('nonsense', { as: admin })).status, 404)
  for (const name of ['', ' ', 'a\nb', 'a\u0000b', 'x'.repeat(101), 7, null, ['a']]) {
    const { status, body } = await rename(id, { as: alice }, name)
    t.match({ status, error: body.error }, { status: 400, error: 'validation_failed' }, JSON.stringify(name))
  }

  const started = await panel.call('POST', '/api/tunnel/device/start', { as: alice, json: { name: 'waiting' } })
  const { userCode } = started.body
  const pending = (await panel.devices(alice)).find((one) => one.userCode === userCode)
  t.match((await rename(pending?.id ?? '', { as: alice }, 'soon')).body, { device: { name: 'soon', approved: false } })
  await panel.call('POST', '/api/tunnel/device/deny', { as: admin, json: { userCode } })
  t.equal((await rename(pending?.id ?? '', { as: alice })).status, 404, 'one that was denied is none')
})
