// What is counted and what is unique holds however much is asked at one time, of however many panels.
import t from 'tap'
import { inParallel, tally } from '../../support/parallel.js'
import type { Reply } from '../../support/raw-client.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import {
  allAllocations,
  newDevice,
  setQuotas,
  type TestAllocation,
  type TestDevice,
} from '../../support/tunnel/devices.js'
import { type Fleet, startFleet } from '../../support/tunnel/fleet.js'

const skip = withoutPostgres || withoutRedis
const range = 1_000
const many = { allocationsPerUser: 5_000, allocationsPerOrganisation: 5_000 }

/** Asked of the panels in turn. */
async function ask(
  fleet: Fleet,
  count: number,
  width: number,
  device: (index: number) => TestDevice,
  fields: object = {},
): Promise<Reply[]> {
  return inParallel(count, width, (index) =>
    fleet.panel(index % fleet.panels.length).send('POST', '/api/tunnel/allocations', {
      bearer: device(index).token,
      ip: '10.9.9.9',
      body: { localPort: 7, protocol: 'tcp', ...fields },
    }),
  )
}

const statuses = (replies: readonly Reply[]) => tally(replies.map(({ status }) => status))

t.test('on three panels', { skip }, async (t) => {
  const fleet = await startFleet(t, { embedded: true, ports: range })
  const [panel] = fleet.panels
  if (!panel) throw new Error('no panel')
  const inRange = (port: number) => port >= fleet.ports.from && port <= fleet.ports.to

  await t.test('a quota of 10 under 100 parallel requests: exactly 10', async (t) => {
    await setQuotas(panel, { allocationsPerUser: 10, allocationsPerOrganisation: 10 })
    const person = await panel.newPerson()
    const devices = [await newDevice(panel, { ownerId: person.id }), await newDevice(panel, { ownerId: person.id })]
    const replies = await ask(fleet, 100, 100, (index) => devices[index % 2] as TestDevice)
    t.same(statuses(replies), { 201: 10, 403: 90 })
    const refused = replies.filter(({ status }) => status === 403)
    t.same([...new Set(refused.map(({ body }) => body.error))], ['quota_exceeded'])

    const { body } = await panel.ok('POST', '/api/organisations', { bearer: person.token, body: { name: 'ours' } })
    const device = await newDevice(panel, { organisationId: body.organisation.id })
    t.same(statuses(await ask(fleet, 100, 100, () => device)), { 201: 10, 403: 90 }, 'an organisation’s')
    for (const { id } of [...devices, device])
      await panel.ok('DELETE', `/api/tunnel/devices/${id}`, { bearer: panel.admin.token })
    t.same(await allAllocations(panel), [])
  })

  await t.test('both protocols get one number or nothing', async (t) => {
    await setQuotas(panel, many)
    const device = await newDevice(panel)
    const other = await newDevice(panel)
    // One port is asked for by everybody, as TCP alone and as both.
    const port = fleet.ports.from + 3
    const [both, single] = await Promise.all([
      ask(fleet, 30, 30, () => device, { protocol: 'both', port }),
      ask(fleet, 30, 30, () => other, { protocol: 'udp', port }),
    ])
    const won = [...both, ...single].filter(({ status }) => status === 201)
    t.equal(won.length, 1, JSON.stringify({ both: statuses(both), single: statuses(single) }))
    t.ok([...both, ...single].every(({ status }) => status === 201 || status === 409))
    const made = await allAllocations(panel)
    t.equal(made.length, won[0]?.body.allocations?.length ?? 1, 'nothing half made is left')

    const pairs = await ask(fleet, 90, 45, () => device, { protocol: 'both' })
    t.same(statuses(pairs), { 201: 90 })
    const placed = pairs.filter(({ status }) => status === 201).map(({ body }) => body.allocations as TestAllocation[])
    t.ok(placed.every(([tcp, udp]) => tcp?.protocol === 'tcp' && udp?.protocol === 'udp' && tcp.port === udp.port))
    t.equal(new Set(placed.map(([tcp]) => tcp?.port)).size, 90)
    for (const { id } of [device, other])
      await panel.ok('DELETE', `/api/tunnel/devices/${id}`, { bearer: panel.admin.token })
  })

  await t.test('1,000 at one time on a range of 1,000 ports: all are placed, none twice', async (t) => {
    const devices = await inParallel(10, 1, () => newDevice(panel))
    const start = performance.now()
    const replies = await ask(fleet, range, range, (index) => devices[index % devices.length] as TestDevice)
    t.comment(`${Math.round(performance.now() - start)} ms`)
    t.same(statuses(replies), { 201: range })
    const ports = replies.map(({ body }) => body.allocation?.port as number)
    t.equal(new Set(ports).size, range)
    t.ok(ports.every(inRange))
    const kept = await allAllocations(panel)
    t.equal(new Set(kept.map(({ port }) => port)).size, range)
    t.ok(new Set(kept.map(({ relayId }) => relayId)).size > 1, 'more than one relay has some')

    const more = await ask(fleet, 12, 12, () => devices[0] as TestDevice)
    t.same(statuses(more), { 503: 12 }, 'and there is no other')
    for (const { body, headers } of more) {
      t.equal(body.error, 'no_ports_available')
      t.match(headers['retry-after'], /^[1-9]\d*$/)
    }
  })
})
