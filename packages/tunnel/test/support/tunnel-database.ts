import { randomUUID } from 'node:crypto'
import { createSql, Database, database, definePlugin, type Plugin, type Sql } from '@sallyport/core'
import { createTestKernel, startPostgres } from '@sallyport/core/testing'
import type { Sequelize } from 'sequelize'
import type { AllocationRow } from '../../dist/allocations/allocation.js'
import { selectAllocations } from '../../dist/allocations/allocation.js'
import { migrations } from '../../dist/migrations.js'

/** The plugin's tables on a real server, without the plugin. */
export interface TunnelDatabase {
  readonly sql: Sql
  readonly sequelize: Sequelize
  readonly database: Database
  relay(id: string): Promise<void>
  device(): Promise<string>
  /** Makes one on a device of its own. */
  allocation(relayId: string): Promise<number>
  row(id: number): Promise<AllocationRow>
  close(): Promise<void>
}

export async function openTunnelDatabase(): Promise<TunnelDatabase> {
  const postgres = await startPostgres()
  const tables: Plugin = definePlugin({
    name: '@sallyport/tunnel',
    version: '1.0.0',
    requires: { database: Database },
    migrations,
    setup: () => undefined,
  })()
  const kernel = await createTestKernel({ listen: false, plugins: [database({ url: postgres.url }), tables] })
  const open = kernel.get(Database)
  const sql = createSql(open)
  let port = 20_000
  const device = async (): Promise<string> => {
    const id = randomUUID()
    await sql(
      `INSERT INTO tunnel_devices (id, name, kind, user_code, device_code_hash, expires_at, approved_at)
       VALUES ($1::uuid, 'box', 'client', $1::text, $1::text, now(), now())`,
      [id],
    )
    return id
  }
  return {
    sql,
    sequelize: open.sequelize,
    database: open,
    device,
    async relay(id) {
      await sql(
        `INSERT INTO tunnel_relays (id, host_group, kind, host, data_port) VALUES ($1, 'localhost', 'standalone', 'localhost', 1)`,
        [id],
      )
    },
    async allocation(relayId) {
      port += 1
      const [row] = await sql<{ id: string }>(
        `INSERT INTO tunnel_allocations (device_id, relay_id, host_group, protocol, port, local_host, local_port)
         VALUES ($1::uuid, $2, 'localhost', 'tcp', $3, '127.0.0.1', 1) RETURNING id`,
        [await device(), relayId, port],
      )
      return Number(row?.id)
    },
    async row(id) {
      const [row] = await sql<AllocationRow>(`${selectAllocations} WHERE a.id = $1`, [id])
      if (!row) throw new Error(`there is no allocation ${id}`)
      return row
    },
    async close() {
      await kernel.stop()
      await postgres[Symbol.asyncDispose]()
    },
  }
}
