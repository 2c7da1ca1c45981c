import { randomBytes, randomUUID } from 'node:crypto'
import type { Sealer } from '@sallyport/core'
import { createTestLogger, missingPostgres, skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import type { AuditTrail } from '../dist/audit-trail.js'
import { createInstanceLease } from '../dist/gateway/instance-lease.js'
import { startEmbeddedRelay } from '../dist/relays/embedded-relay.js'
import { createFailover, type Moved } from '../dist/relays/failover.js'
import { createRegistration, type RelayDescription } from '../dist/relays/registration.js'
import { sweepRelays } from '../dist/relays/relay-sweep.js'
import { openTunnelDatabase } from './support/tunnel-database.js'

t.test('on a Postgres server', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const db = await openTunnelDatabase()
  t.teardown(() => db.close())
  const { sql, database } = db
  const { logger } = createTestLogger()
  const leaseMs = 60_000

  /** An instance that lives until its lease is ended. */
  const instance = async () => {
    const id = randomUUID()
    const lease = createInstanceLease(sql, id, leaseMs)
    await lease.renew()
    const sealer = { seal: () => 'sealed', open: () => undefined } as unknown as Sealer
    return { id, lease, ...createRegistration({ database, sql, logger, sealer, instanceId: id }) }
  }
  const describe = (id: string, rest: Partial<RelayDescription> = {}): RelayDescription => ({
    ...{ id, kind: 'embedded', host: 'Localhost', dataPort: 1, hostGroup: undefined, region: undefined },
    ...{ labels: undefined, capacity: undefined, portRange: undefined, ticketKey: randomBytes(32) },
    ...{ clockOffsetMs: 0, version: '1.0.0', fingerprint: undefined, encryption: 'tls' },
    ...rest,
  })
  const relay = async (id: string) =>
    (await sql<Record<string, unknown>>('SELECT * FROM tunnel_relays WHERE id = $1', [id]))[0]

  t.test('of instances that want one id at one time one gets it, until it is gone', async (t) => {
    const some = await Promise.all([instance(), instance(), instance()])
    const claims = await Promise.all(some.map((one) => one.claim('twin', 'localhost')))
    t.equal(claims.filter(Boolean).length, 1)
    const [winner, loser] = [some[claims.indexOf(true)], some[claims.indexOf(false)]]
    t.equal(await winner?.claim('twin', 'localhost'), true, 'again')
    await winner?.lease.end()
    t.equal(await loser?.claim('twin', 'localhost'), true)
    t.match(await relay('twin'), { instance_id: loser?.id, draining: true }, 'not to be chosen yet')
  })

  t.test('embedded relays of one machine get along; an id that was given is not shared', async (t) => {
    const start = async (config: object) => {
      const { claim } = await instance()
      const started = await startEmbeddedRelay({ config, logger, shared: true, claim, leaseMs: 50 })
      t.teardown(() => started.relay.stop())
      return started.relay.id
    }
    const [one, two] = await Promise.all([start({ dataPort: 0 }), start({ dataPort: 0 })])
    t.match(one, /^embedded-[0-9a-f]{8}/)
    t.not(one, two)
    t.equal(await start({ id: 'mine', dataPort: 0 }), 'mine')
    await t.rejects(start({ id: 'mine', dataPort: 0 }), { code: 'TUNNEL_ERR_RELAY_START_FAILED' })
  })

  t.test('a relay that changes its host group takes along what has no namesake there', async (t) => {
    const { register } = await instance()
    for (const id of ['mover', 'settled']) await register(describe(id))
    const [free, clashing, other] = [
      await db.allocation('mover'),
      await db.allocation('mover'),
      await db.allocation('settled'),
    ]
    await sql(
      `UPDATE tunnel_allocations SET host_group = 'pair', port = (SELECT port FROM tunnel_allocations WHERE id = $2)
       WHERE id = $1`,
      [other, clashing],
    )
    await register(describe('mover', { hostGroup: 'pair' }))
    const groupOf = async (id: number) =>
      (await sql<{ host_group: string }>('SELECT host_group FROM tunnel_allocations WHERE id = $1', [id]))[0]
        ?.host_group
    t.same([await groupOf(free), await groupOf(clashing), await groupOf(other)], ['pair', 'localhost', 'pair'])
  })

  t.test("a clock that is far off spoils nobody else's report", async (t) => {
    const { register, refresh } = await instance()
    await register(describe('wild', { clockOffsetMs: 8e15 }))
    await register(describe('tame'))
    const load = { devices: 1, connections: 2, draining: false }
    const mine = await refresh(
      new Map([
        ['wild', { ...load, clockOffsetMs: -8e15 }],
        ['tame', { ...load, clockOffsetMs: 5_000 }],
      ]),
    )
    t.same([...mine].sort(), ['tame', 'wild'])
    const tame = (await relay('tame')) as { clock_offset: number }
    t.match(tame, { devices: 1, connections: 2 })
    t.ok(Math.abs(tame.clock_offset - 5_000) < 4_000)
    t.match(await relay('wild'), { clock_offset: 1 - 2 ** 31 })
  })

  t.test('relays are forgotten when they are gone for a day, or for good, and serve nothing', async (t) => {
    const { register } = await instance()
    const gone = await instance()
    await register(describe('alive'))
    for (const id of ['old', 'old-serving', 'young']) await gone.register(describe(id))
    await gone.lease.end()
    for (const id of ['orphan', 'orphan-serving']) await db.relay(id)
    for (const id of ['old-serving', 'orphan-serving']) await db.allocation(id)
    await sql(`UPDATE tunnel_relays SET last_seen_at = now() - interval '2 days' WHERE id LIKE 'old%' OR id = 'alive'`)
    await sweepRelays(sql)
    const ids = ['alive', 'old', 'old-serving', 'young', 'orphan', 'orphan-serving']
    const left = async () => (await Promise.all(ids.map(async (id) => ((await relay(id)) ? [id] : [])))).flat()
    t.same(await left(), ['alive', 'old-serving', 'young', 'orphan-serving'])
    await sql(`DELETE FROM tunnel_allocations WHERE relay_id LIKE '%-serving'`)
    await sweepRelays(sql)
    t.same(await left(), ['alive', 'young'])
  })

  t.test('what a lost relay served goes to several when one has not the room', async (t) => {
    const { register } = await instance()
    await db.relay('lost')
    const ids = [await db.allocation('lost'), await db.allocation('lost'), await db.allocation('lost')]
    await sql(`UPDATE tunnel_relays SET host_group = 'spill' WHERE id = 'lost'`)
    await sql(`UPDATE tunnel_allocations SET host_group = 'spill' WHERE relay_id = 'lost'`)
    await register(describe('haven-a', { hostGroup: 'spill', capacity: 1 }))
    const log = createTestLogger()
    const told: Moved[] = []
    const audited: number[] = []
    const failover = createFailover({
      ...{ database, sql, graceMs: 1_000, intervalMs: 1_000, logger: log.logger },
      audit: { allocation: async (_: string, id: number) => void audited.push(id) } as unknown as AuditTrail,
      onMoved: async (moved) => void told.push(...moved),
    })
    const on = async () =>
      (
        await sql<{ relay_id: string }>(
          `SELECT relay_id FROM tunnel_allocations WHERE host_group = 'spill' ORDER BY relay_id`,
        )
      ).map(({ relay_id }) => relay_id)
    await failover.run()
    t.same(await on(), ['haven-a', 'lost', 'lost'])
    await failover.run()
    await failover.run()
    t.equal(log.lines.filter(({ msg }) => /none of its host group/.test(String(msg))).length, 1, 'said once')
    await register(describe('haven-b', { hostGroup: 'spill' }))
    await failover.run()
    t.same(await on(), ['haven-a', 'haven-b', 'haven-b'])
    t.same(
      told.map(({ to, deviceIds }) => [to, deviceIds.length]),
      [
        ['haven-a', 1],
        ['haven-b', 2],
      ],
    )
    t.same(audited.sort(), ids)
  })
})
