import { randomUUID } from 'node:crypto'
import { createSql, Database, definePlugin } from '@sallyport/core'
import { createTestKernel } from '@sallyport/core/testing'
import t from 'tap'
import { createPlacement } from '../dist/allocations/placement.js'
import { migrations } from '../dist/migrations.js'

const tables = definePlugin({
  name: '@sallyport/tunnel',
  version: '1.0.0',
  requires: { database: Database },
  migrations,
  setup: () => undefined,
})
const kernel = await createTestKernel({ http: false, plugins: [tables()] })
t.teardown(() => kernel.stop())
const database = kernel.get(Database)
const sql = createSql(database)
const quotas = { value: { allocationsPerUser: 10, allocationsPerOrganisation: 10 } }
const placement = createPlacement({ database, sql, quotas: quotas as never, directory: undefined })

async function device(): Promise<string> {
  const id = randomUUID()
  await sql(
    `INSERT INTO tunnel_devices (id, name, kind, user_code, device_code_hash, expires_at, approved_at, token_id)
     VALUES ($1::uuid, 'box', 'client', $1::text, $1::text, now(), now(), gen_random_uuid())`,
    [id],
  )
  return id
}

async function relay(id: string, aliveSeconds: number): Promise<void> {
  await sql(
    `WITH its AS (
       INSERT INTO tunnel_instances (id, alive_until)
       VALUES (gen_random_uuid(), now() + make_interval(secs => $2)) RETURNING id)
     INSERT INTO tunnel_relays (id, host_group, kind, host, data_port, instance_id)
     SELECT $1, 'localhost', 'embedded', 'localhost', 1, its.id FROM its`,
    [id, aliveSeconds],
  )
}

t.test('what was chosen and is gone since gets nothing, and the kept port stays kept', async (t) => {
  await relay('lives', 60)
  await relay('gone', -1)
  const id = await device()
  await sql(
    `INSERT INTO tunnel_held_ports (host_group, port, protocol, device_id, local_port, held_until)
     VALUES ('localhost', 20001, 'tcp', $1::uuid, 80, now() + interval '1 hour')`,
    [id],
  )
  const place = (relayId: string) =>
    placement.run({
      device: { id, ownerId: 'alice', organisationId: null },
      relay: { id: relayId, hostGroup: 'localhost', portRange: { from: 20_000, to: 20_999 } },
      protocols: ['tcp'],
      port: undefined,
      avoid: new Set(),
      localHost: '127.0.0.1',
      localPort: 80,
      name: null,
      options: {},
    })
  const placed = await Promise.all([place('gone'), place('gone')])
  t.same(placed, [{ kind: 'relay_gone' }, { kind: 'relay_gone' }])
  t.same(await sql('SELECT port FROM tunnel_held_ports'), [{ port: 20_001 }])
  const made = await place('lives')
  t.match(made, { kind: 'made', rows: [{ relay_id: 'lives', port: 20_001, relay_online: true }] })
  t.same(await sql('SELECT port FROM tunnel_held_ports'), [])
})
