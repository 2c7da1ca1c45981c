// A panel for the gateway's figures: node gateway-panel.mjs, its configuration as JSON in BENCH_PANEL. Says by IPC where it
// listens; makes devices, and tells what it costs, when asked.
import { auth, directory, session } from '@sallyport/auth'
import { createKernel, Database, database, definePlugin, keyring, redis, Secret, Tokens } from '@sallyport/core'
import { tunnel } from '@sallyport/tunnel'

const { databaseUrl, redisUrl, dataDir, port = 0, relay = false, portRange } = JSON.parse(process.env.BENCH_PANEL)
const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const unlimited = { points: 1_000_000_000 }
let services

const reach = definePlugin({
  name: 'bench.reach',
  version: '1.0.0',
  requires: { database: Database, tokens: Tokens },
  setup(context) {
    services = context.services
  },
})

const kernel = createKernel({
  plugins: [
    database(databaseUrl ? { url: databaseUrl } : { dataDir }),
    ...(redisUrl ? [redis({ url: redisUrl })] : []),
    keyring({ secretKeys: ['a secret key for the benchmark, known to all'] }),
    auth({
      strategies: [session({ attempts: { perAccount: unlimited, perAddress: unlimited } })],
      users: directory({
        firstAdministrator: { email: administrator.email, password: new Secret(administrator.password) },
      }),
    }),
    tunnel({
      relay: relay && { dataPort: 0 },
      ...(portRange && { portRange }),
      // The made relay below is never there, and is to be left alone.
      relays: { graceMs: 86_400_000 },
      gateway: { maxConnections: 100_000 },
    }),
    reach(),
  ],
})
const listening = await kernel.listen({ port })

/** Devices with an allocation each, on a relay that is away, and their tokens. */
async function makeDevices(count, withAllocations) {
  const { sequelize } = services.database
  const issuer = services.tokens.issuer('tunnel-device')
  const select = { type: 'SELECT' }
  const rows = await sequelize.query(
    `INSERT INTO tunnel_devices
       (id, name, kind, owner_id, user_code, device_code_hash, expires_at, approved_at, redeemed_at, token_id)
     SELECT gen_random_uuid(), 'bench ' || n, 'client', NULL, 'BENCH-' || n, gen_random_uuid()::text, now(), now(), now(),
       gen_random_uuid()
     FROM generate_series(1, $1::integer) n RETURNING id, token_id`,
    { bind: [count], ...select },
  )
  if (withAllocations) {
    await sequelize.query(
      `INSERT INTO tunnel_relays (id, host_group, kind, host, data_port, device_id)
       SELECT d.id, 'away', 'standalone', 'away.example', 7350, d.id FROM tunnel_devices d WHERE user_code = 'BENCH-1' LIMIT 1`,
    )
    await sequelize.query(
      `INSERT INTO tunnel_allocations (device_id, relay_id, host_group, protocol, port, local_host, local_port)
       SELECT d.id, r.id, 'away', 'tcp', substr(d.user_code, 7)::integer, '127.0.0.1', 25565
       FROM tunnel_devices d, tunnel_relays r WHERE r.host_group = 'away' AND d.user_code LIKE 'BENCH-%'`,
    )
  }
  return rows.map(({ id, token_id: tokenId }) => ({ id, token: issuer.issue({ subject: id, id: tokenId }) }))
}

/** The bare rows that allocations leave, one statement each, as many at once as asked. */
async function insertRows(count, width, devices) {
  const { sequelize } = services.database
  const [{ id: relayId, host_group: group }] = await sequelize.query(
    'SELECT id, host_group FROM tunnel_relays LIMIT 1',
    {
      type: 'SELECT',
    },
  )
  let next = 0
  const start = performance.now()
  const worker = async () => {
    while (next < count) {
      const at = next++
      await sequelize.query(
        `INSERT INTO tunnel_allocations (device_id, relay_id, host_group, protocol, port, local_host, local_port)
         VALUES ($1::uuid, $2, $3 || '-bare', 'tcp', $4, '127.0.0.1', 25565)`,
        { bind: [devices[at % devices.length], relayId, group, 1 + at] },
      )
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  const perSecond = (count * 1_000) / (performance.now() - start)
  await sequelize.query(`DELETE FROM tunnel_allocations WHERE host_group = $1 || '-bare'`, { bind: [group] })
  return perSecond
}

async function signIn() {
  const response = await fetch(`http://127.0.0.1:${listening.port}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(administrator),
  })
  if (!response.ok) throw new Error(`signing in: ${response.status}`)
  return (await response.json()).token
}

process.on('SIGTERM', async () => {
  await kernel.stop()
  process.exit(0)
})
process.on('message', async ({ makeDevices: devices, usage, insert, login }) => {
  if (usage) process.send({ usage: usageNow() })
  if (devices) process.send({ devices: await makeDevices(devices.count, devices.withAllocations) })
  if (insert) process.send({ insertedPerSecond: await insertRows(insert.count, insert.width, insert.devices) })
  if (login) process.send({ token: await signIn() })
})
process.send({ port: listening.port })

function usageNow() {
  const { user, system } = process.cpuUsage()
  const asItIs = process.memoryUsage().rss
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss: asItIs, rssAfterGc: rss, heap: heapUsed + external, cpuMicroseconds: user + system }
}
