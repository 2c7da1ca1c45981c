import { createServer } from 'node:net'
import t from 'tap'
import type { Allocation } from '../dist/index.js'
import { admin, type Enrolled, somePorts, startPanel } from './support/panel.js'
import type { TestUser } from './support/users.js'

const range = somePorts(200)
const panel = await startPanel({ config: { portRange: range } })
t.teardown(() => panel.stop())

const alice: TestUser = { id: 'alice' }
const post = (device: Enrolled, json: object) =>
  panel.call('POST', '/api/tunnel/allocations', { token: device.token, json })
const removeAll = async () => {
  for (const { id } of await panel.allocations(admin)) {
    await panel.call('DELETE', `/api/tunnel/allocations/${id}`, { as: admin })
  }
}
const tcp = { protocol: 'tcp', localPort: 25_565 }
await panel.setQuotas({ allocationsPerUser: 1_000 })
const device = await panel.enrol(alice)

t.test('an allocation has the fields of the contract and is served when it is answered', async (t) => {
  const made = await post(device, { ...tcp, name: 'survival' })
  t.equal(made.status, 201)
  const { allocation } = made.body
  t.match(allocation, {
    id: Number,
    name: 'survival',
    deviceId: device.id,
    protocol: 'tcp',
    host: 'localhost',
    localHost: '127.0.0.1',
    localPort: 25_565,
    relayId: 'embedded',
    relayOnline: true,
    status: 'open',
    createdAt: /^\d{4}-\d\d-\d\dT.*Z$/,
    traffic: { bytesIn: 0, bytesOut: 0, connections: 0, open: 0 },
  })
  t.ok(allocation.port >= range.from && allocation.port <= range.to)
  t.same(await panel.allocations(alice), [allocation])
  t.same((await panel.call('GET', '/api/tunnel/allocations', { token: device.token })).body.allocations, [allocation])
  await removeAll()
})

t.test('both takes one number for TCP and UDP, or neither', async (t) => {
  const { status, body } = await post(device, { protocol: 'both', localPort: 1 })
  t.equal(status, 201)
  const [first, second] = body.allocations
  t.same([first.protocol, second.protocol], ['tcp', 'udp'])
  t.equal(first.port, second.port)
  await panel.call('DELETE', `/api/tunnel/allocations/${first.id}`, { as: alice })

  const taken = await post(device, { protocol: 'both', localPort: 1, port: first.port })
  t.same([taken.status, taken.body.error], [409, 'port_taken'])
  t.equal((await panel.allocations(alice)).length, 1, 'and nothing half made')
  t.equal((await post(device, { ...tcp, port: first.port })).status, 201, 'the TCP half is free')
  await removeAll()
})

t.test('a wanted port: in range, and nobody else’s', async (t) => {
  const port = range.from + 7
  t.equal((await post(device, { ...tcp, port })).body.allocation.port, port)
  t.equal((await post(device, { ...tcp, port })).status, 409)
  t.equal((await post(device, { protocol: 'udp', localPort: 1, port })).status, 201, 'the number serves UDP too')
  for (const outside of [range.from - 1, range.to + 1]) {
    const answer = await post(device, { ...tcp, port: outside })
    t.same([answer.status, answer.body.error], [400, 'port_out_of_range'])
  }
  const contended = await Promise.all(Array.from({ length: 10 }, () => post(device, { ...tcp, port: range.to })))
  t.same(contended.map(({ status }) => status).sort(), [201, ...Array(9).fill(409)])
  await removeAll()
})

t.test('a number that another program has is not given out', async (t) => {
  const squatter = createServer()
  const port = await new Promise<number>((resolve) => {
    let next = range.from
    squatter.on('error', () => {
      next += 1
      squatter.listen(next, '127.0.0.1')
    })
    squatter.on('listening', () => resolve(next))
    squatter.listen(next, '127.0.0.1')
  })
  t.teardown(() => void squatter.close())
  const wanted = await post(device, { ...tcp, port })
  t.same([wanted.status, wanted.body.error], [409, 'port_taken'])
  t.same(await panel.allocations(admin), [], 'and it is taken back')
  t.equal((await post(device, { protocol: 'udp', localPort: 1, port })).status, 201, 'its UDP side is free')
  await removeAll()
})

t.test('200 at one time on 200 ports: all placed, none twice, then none is left', async (t) => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => post(device, tcp)))
  t.same([...new Set(answers.map(({ status }) => status))], [201])
  const ports = new Set(answers.map(({ body }) => body.allocation.port as number))
  t.equal(ports.size, 200)
  const full = await post(device, tcp)
  t.same([full.status, full.body.error], [503, 'no_ports_available'])
  t.ok(Number(full.headers.get('retry-after')) > 0)
  t.equal((await post(device, { protocol: 'both', localPort: 1 })).status, 503)
  t.equal((await panel.allocations(alice)).length, 200, 'and of that both nothing is left')
  t.equal((await post(device, { protocol: 'udp', localPort: 1 })).status, 201, 'UDP has numbers of its own')
  t.equal(
    await panel.call('DELETE', `/api/tunnel/devices/${device.id}`, { as: alice }).then(({ status }) => status),
    200,
  )
  t.same(await panel.allocations(admin), [])
})

t.test('a quota holds when everything is asked at one time', async (t) => {
  const acme = { memberships: [{ organisationId: 'acme', role: 'admin' as const }] }
  await panel.setQuotas({ allocationsPerUser: 10, allocationsPerOrganisation: 5 })
  const mine = [await panel.enrol(alice), await panel.enrol(alice)]
  const shared = [
    await panel.enrol({ id: 'alice', ...acme }, { organisationId: 'acme' }),
    await panel.enrol({ id: 'bob', ...acme }, { organisationId: 'acme' }),
  ]
  const storm = async (devices: Enrolled[]) => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => post(devices[n % 2] as Enrolled, tcp)))
    const refused = answers.find(({ status }) => status !== 201)
    t.same([refused?.status, refused?.body.error], [403, 'quota_exceeded'])
    return answers.filter(({ status }) => status === 201).length
  }
  t.equal(await storm(mine), 10)
  t.equal(await storm(shared), 5, 'an organisation’s devices count for the organisation')
  const [one] = await panel.allocations(alice)
  await panel.call('DELETE', `/api/tunnel/allocations/${one?.id}`, { as: alice })
  t.equal((await post(mine[0] as Enrolled, { protocol: 'both', localPort: 1 })).status, 403, 'both counts twice')
  t.equal((await post(mine[0] as Enrolled, tcp)).status, 201)
  await panel.setQuotas({ allocationsPerUser: 1_000, allocationsPerOrganisation: 50 })
  await removeAll()
})

t.test('change, close, open, delete', async (t) => {
  const own = await panel.enrol(alice)
  const { id } = await panel.allocate(own, tcp)
  const url = `/api/tunnel/allocations/${id}`
  const patched = await panel.call('PATCH', url, {
    as: alice,
    json: { localHost: 'game.lan', localPort: 7, name: 'x' },
  })
  t.match(patched.body.allocation, { id, localHost: 'game.lan', localPort: 7, name: 'x', status: 'open' })
  const renamed = await panel.call('PATCH', url, { token: own.token, json: { name: null } })
  t.match(renamed.body.allocation, { localHost: 'game.lan', localPort: 7, name: null })
  const closed = await panel.call('POST', `${url}/close`, { as: alice })
  t.match(closed.body, { success: true, allocation: { id, status: 'closed', relayOnline: true } })
  t.equal((await panel.call('POST', `${url}/open`, { as: alice })).body.allocation.status, 'open')
  t.same((await panel.call('DELETE', url, { as: alice })).body, { success: true })
  t.equal((await panel.call('DELETE', url, { as: alice })).status, 404)
})

t.test("another's is 404; to read is not to write", async (t) => {
  const own = await panel.enrol(alice)
  const other = await panel.enrol({ id: 'bob' })
  const { id } = await panel.allocate(own, tcp)
  const url = `/api/tunnel/allocations/${id}`
  const acts = [
    ['PATCH', url, { localPort: 2 }],
    ['POST', `${url}/close`],
    ['POST', `${url}/open`],
    ['DELETE', url],
  ] as const
  const auditor = { id: 'auditor', permissions: ['tunnels:read'] }
  for (const [method, path, json] of acts) {
    const body = json ? { json } : {}
    t.equal((await panel.call(method, path, { as: { id: 'bob' }, ...body })).status, 404)
    t.equal((await panel.call(method, path, { token: other.token, ...body })).status, 404)
    t.equal((await panel.call(method, path, { as: auditor, ...body })).status, 403)
    t.equal((await panel.call(method, path, body)).status, 401)
  }
  const ids = async (as: TestUser) => (await panel.allocations(as)).map((one: Allocation) => one.id)
  t.same([await ids({ id: 'bob' }), await ids(auditor)], [[], [id]])
  const foreign = await panel.call('POST', '/api/tunnel/allocations', {
    token: other.token,
    json: { ...tcp, deviceId: own.id },
  })
  t.equal(foreign.status, 404)
  const byUser = (json: object, as: TestUser) => panel.call('POST', '/api/tunnel/allocations', { as, json })
  t.equal((await byUser({ ...tcp, deviceId: own.id }, { id: 'bob' })).status, 404)
  t.equal((await byUser({ ...tcp, deviceId: own.id }, auditor)).status, 403)
  t.equal((await byUser({ ...tcp, deviceId: own.id }, alice)).status, 201)
  t.equal((await byUser(tcp, alice)).body.error, 'device_required')
  await panel.call('POST', '/api/tunnel/device/start', { as: alice, json: { name: 'pending' } })
  const pending = (await panel.devices(alice)).find(({ approved }) => !approved)
  t.equal((await byUser({ ...tcp, deviceId: pending?.id }, alice)).body.error, 'device_not_approved')
  await removeAll()
})

t.test('bad input is 400 and makes nothing', async (t) => {
  const own = await panel.enrol(alice)
  const bad = [
    {},
    { protocol: 'tcp' },
    { localPort: 1 },
    { ...tcp, protocol: 'sctp' },
    { ...tcp, localPort: 0 },
    { ...tcp, localPort: 65_536 },
    { ...tcp, localPort: '1' },
    { ...tcp, localPort: 1.5 },
    { ...tcp, port: 0 },
    { ...tcp, port: null },
    { ...tcp, localHost: '' },
    { ...tcp, localHost: 'a b' },
    { ...tcp, localHost: 'a\0b' },
    { ...tcp, localHost: ['localhost'] },
    { ...tcp, localHost: '999.1.1.1' },
    { ...tcp, name: '\u0007' },
    { ...tcp, status: 'open' },
    { ...tcp, options: [] },
    { ...tcp, deviceId: 7 },
    [],
    'x',
  ]
  for (const json of bad) t.equal((await post(own, json as object)).status, 400, JSON.stringify(json))
  t.same(await panel.allocations(alice), [])
  const { id } = await panel.allocate(own, tcp)
  for (const json of [
    { port: 5 },
    { protocol: 'udp' },
    { localPort: null },
    { localHost: '-' },
    { options: { allow: 'all' } },
  ]) {
    const answer = await panel.call('PATCH', `/api/tunnel/allocations/${id}`, { as: alice, json })
    t.equal(answer.status, 400, JSON.stringify(json))
  }
  for (const wrong of ['0', '-1', '1e3', 'x', '99999999999999999999', '9007199254740993', "1'"]) {
    const answer = await panel.call('DELETE', `/api/tunnel/allocations/${wrong}`, { as: admin })
    t.equal(answer.status, 404, wrong)
  }
  await removeAll()
})

t.test('relays are listed with their load', async (t) => {
  const own = await panel.enrol(alice)
  await panel.allocate(own, tcp)
  const { body } = await panel.call('GET', '/api/tunnel/relays', { as: alice })
  t.match(body.relays, [
    {
      id: 'embedded',
      kind: 'embedded',
      host: 'localhost',
      dataPort: Number,
      encryption: 'tls',
      hostGroup: 'localhost',
      region: null,
      online: true,
      load: { allocations: 1, devices: 0, connections: 0 },
    },
  ])
})

t.test('figures are on /metrics, and the relay is part of readiness', async (t) => {
  const text = await (await fetch(`${panel.url}/metrics`)).text()
  t.match(text, /^sallyport_tunnel_devices_online 0$/m)
  t.match(text, /^sallyport_tunnel_allocations\{status="listening"\} 1$/m)
  t.match(text, /^sallyport_tunnel_bytes_total\{direction="in"\} 0$/m)
  t.match(text, /^sallyport_tunnel_data_connections_ready 0$/m)
  t.match(text, /^sallyport_tunnel_players_waiting 0$/m)
  t.match(text, /^sallyport_tunnel_packets_dropped_total\{reason="forged"\} 0$/m)
  const ready = await (await fetch(`${panel.url}/api/health/ready`)).json()
  t.match(JSON.stringify(ready), /"relay":"ok"/)
})
