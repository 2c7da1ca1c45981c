import { createSql, Database } from '@sallyport/core'
import t from 'tap'
import { sweepHeldPorts } from '../dist/allocations/held-ports.js'
import { admin, type Enrolled, somePorts, startPanel } from './support/panel.js'

const range = somePorts(4)
const panel = await startPanel({ config: { portRange: range } })
t.teardown(() => panel.stop())
const sql = createSql(panel.kernel.get(Database))
const alice = { id: 'alice' }
const [mine, other] = [await panel.enrol(alice), await panel.enrol({ id: 'bob' })]
const post = ({ token }: Enrolled, json: object) =>
  panel.call('POST', '/api/tunnel/allocations', { token, json: { protocol: 'tcp', localPort: 25_565, ...json } })
const remove = (id: number) => panel.call('DELETE', `/api/tunnel/allocations/${id}`, { as: admin })
const forget = async () => {
  for (const { id } of await panel.allocations(admin)) await remove(id)
  await sql('DELETE FROM tunnel_held_ports')
}

t.test('a port that was given back is kept for its device', async (t) => {
  const { allocation } = (await post(mine, {})).body
  await remove(allocation.id)
  const wanted = await post(other, { port: allocation.port })
  t.same([wanted.status, wanted.body.error], [409, 'port_taken'])
  t.equal((await post(other, { port: allocation.port, protocol: 'both' })).status, 409)
  const udp = await post(other, { port: allocation.port, protocol: 'udp' })
  t.equal(udp.status, 201, 'only for the protocol that it had')
  const others = await Promise.all([post(other, {}), post(other, {}), post(other, {}), post(other, {})])
  t.same(others.map(({ status }) => status).sort(), [201, 201, 201, 503], 'others get the rest of the range')
  const again = await post(mine, {})
  t.equal(again.body.allocation.port, allocation.port, 'the device gets it without asking')
  await forget()
})

t.test('of several the one with the same target, whatever is asked next', async (t) => {
  const made = [await post(mine, { localPort: 1 }), await post(mine, { localPort: 2, protocol: 'both' })]
  const [first, second] = made.map(({ body }) => body.allocation ?? body.allocations[0])
  for (const { id } of await panel.allocations(alice)) await remove(id)
  const both = await post(mine, { localPort: 2, protocol: 'both' })
  t.same(
    both.body.allocations.map(({ port }: { port: number }) => port),
    [second.port, second.port],
  )
  t.equal((await post(mine, { localPort: 1 })).body.allocation.port, first.port)
  await remove(first.id + 0).catch(() => undefined)
  await forget()
})

t.test('it is free when the time is over, or the device is gone', async (t) => {
  const { allocation } = (await post(mine, {})).body
  await remove(allocation.id)
  await sql("UPDATE tunnel_held_ports SET held_until = now() - interval '1 second'")
  t.equal((await post(other, { port: allocation.port })).status, 201)
  t.equal(await sweepHeldPorts(sql), 0, 'its row went with it')
  await forget()

  const passing = await panel.enrol(alice)
  const port = (await post(passing, {})).body.allocation.port
  for (const { id } of await panel.allocations(alice)) await remove(id)
  t.equal((await post(other, { port })).status, 409)
  await panel.call('DELETE', `/api/tunnel/devices/${passing.id}`, { as: alice })
  t.equal((await post(other, { port })).status, 201)
  await forget()
})

t.test('a device keeps sixteen at most, the newest', async (t) => {
  for (let n = 0; n < 10; n += 1) {
    const made = await post(mine, { localPort: 1 + n, protocol: 'both', port: range.from + (n % 4) })
    t.equal(made.status, 201)
    await sql(`UPDATE tunnel_allocations SET port = port - $1::integer * 100 WHERE host_group = 'localhost'`, [n + 1])
    for (const { id } of made.body.allocations) await remove(id)
  }
  const held = await sql<{ local_port: number }>('SELECT local_port FROM tunnel_held_ports')
  t.equal(held.length, 16)
  t.equal(Math.min(...held.map(({ local_port }) => local_port)), 3)
  await sql("UPDATE tunnel_held_ports SET held_until = now() - interval '1 second'")
  t.equal(await sweepHeldPorts(sql), 16)
})
