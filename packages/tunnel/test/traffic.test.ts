import { createTestLogger, missingPostgres, skipWithout } from '@sallyport/core/testing'
import type { AllocationTraffic } from '@sallyport/relay'
import fc from 'fast-check'
import t from 'tap'
import type { CountedRelay } from '../dist/traffic/relay-meter.js'
import type { SharedTotals, SharedTraffic } from '../dist/traffic/shared-traffic.js'
import { createTrafficCounter } from '../dist/traffic/traffic.js'
import { countAnew, writeTotals } from '../dist/traffic/write-totals.js'
import { openTunnelDatabase } from './support/tunnel-database.js'

interface FakeRelay extends CountedRelay {
  readonly totals: Map<number, AllocationTraffic>
  grow(id: number, bytesIn: number, bytesOut?: number, connections?: number, open?: number): void
}

function fakeRelay(id: string, epoch: string): FakeRelay {
  const totals = new Map<number, AllocationTraffic>()
  return {
    id,
    epoch,
    totals,
    traffic: () => [...totals.values()].map((one) => ({ ...one })),
    status: () => ({ running: true, revision: 1, allocations: [] }),
    grow(allocationId, bytesIn, bytesOut = 0, connections = 0, open = 0) {
      const was = totals.get(allocationId) ?? { bytesIn: 0, bytesOut: 0, connections: 0 }
      totals.set(allocationId, {
        allocationId,
        bytesIn: was.bytesIn + bytesIn,
        bytesOut: was.bytesOut + bytesOut,
        connections: was.connections + connections,
        open,
      })
    },
  }
}

t.test('on a Postgres server', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const db = await openTunnelDatabase()
  t.teardown(() => db.close())
  const { sql } = db
  const { logger } = createTestLogger()
  for (const id of ['r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7']) await db.relay(id)
  const total = async (id: number) => {
    const { bytes_in, bytes_out, connections } = await db.row(id)
    return [Number(bytes_in), Number(bytes_out), Number(connections)]
  }
  const minutes = async (id: number) => {
    const [row] = await sql<{ i: string; o: string; c: string }>(
      `SELECT sum(bytes_in) AS i, sum(bytes_out) AS o, sum(connections) AS c FROM tunnel_traffic_minutes WHERE allocation_id = $1`,
      [id],
    )
    return [Number(row?.i), Number(row?.o), Number(row?.c)]
  }

  t.test('only what changed is written, and what is live goes on from it', async (t) => {
    const [one, two] = [await db.allocation('r1'), await db.allocation('r1')]
    const written: number[] = []
    const counted: typeof sql = (statement, values, transaction) => {
      written.push((JSON.parse(String(values?.[0])) as unknown[]).length)
      return sql(statement, values, transaction)
    }
    const traffic = createTrafficCounter({ sql: counted, logger })
    const relay = fakeRelay('r1', 'a')
    const leave = traffic.add(relay)
    relay.grow(one, 5, 6, 1, 1)
    relay.grow(two, 0, 0, 0, 0)
    traffic.observe()
    t.match(traffic.of(await db.row(one)), { bytesIn: 5, bytesOut: 6, connections: 1, open: 1 })
    await traffic.flush()
    await traffic.flush()
    relay.grow(one, 10)
    t.match(traffic.of(await db.row(one)), { bytesIn: 5 }, 'as last observed')
    traffic.observe()
    t.match(traffic.of(await db.row(one)), { bytesIn: 15, bytesOut: 6, connections: 1 })
    t.same(written, [1])
    relay.grow(two, 3)
    await leave()
    await leave()
    t.same(written, [1, 2])
    t.same(
      [await total(one), await minutes(one)],
      [
        [15, 6, 1],
        [15, 6, 1],
      ],
    )
    t.same(traffic.passed(), { bytesIn: 18, bytesOut: 6, connections: 1, open: 0 }, 'what went is not taken back')
    t.equal(traffic.of(await db.row(one)), undefined)
  })

  t.test('a relay that is gone for a moment is counted on by the next instance', async (t) => {
    const id = await db.allocation('r2')
    const relay = fakeRelay('r2', 'a')
    const dead = createTrafficCounter({ sql, logger })
    dead.add(relay)
    relay.grow(id, 100, 10, 1)
    await dead.flush()
    relay.grow(id, 50, 5, 1)
    const next = createTrafficCounter({ sql, logger })
    const leave = next.add(relay)
    await Promise.all([next.flush(), dead.flush(), next.flush()])
    await leave()
    t.same(await total(id), [150, 15, 2])
    next.add(relay)
    await next.flush()
    t.same(dead.passed().bytesIn + next.passed().bytesIn, 150, 'one that comes again is not counted again')
  })

  t.test('nothing that comes late is counted twice', async (t) => {
    const id = await db.allocation('r3')
    const totals = (bytesIn: number): AllocationTraffic[] => [
      { allocationId: id, bytesIn, bytesOut: 0, connections: 0, open: 0 },
    ]
    await writeTotals(sql, 'r3', 'a', totals(100))
    t.same([...(await writeTotals(sql, 'r3', 'a', totals(60))).ids], [id], 'older than what is counted')
    await writeTotals(sql, 'r3', 'b', totals(7))
    t.same([...(await writeTotals(sql, 'r3', 'a', totals(120))).ids], [], 'the epoch before is over')
    t.same([...(await writeTotals(sql, 'r2', 'c', totals(500))).ids], [], 'not its relay')
    t.same(await total(id), [107, 0, 0])
  })

  t.test('an allocation that moves away and back is counted anew by each relay', async (t) => {
    const id = await db.allocation('r4')
    const move = (to: string) =>
      sql(`UPDATE tunnel_allocations SET relay_id = $2, ${countAnew} WHERE id = $1 RETURNING id`, [id, to])
    const totals = (bytesIn: number): AllocationTraffic[] => [
      { allocationId: id, bytesIn, bytesOut: 0, connections: 0, open: 0 },
    ]
    await writeTotals(sql, 'r4', 'a', totals(100))
    await move('r5')
    await writeTotals(sql, 'r4', 'a', totals(130))
    await writeTotals(sql, 'r5', 'b', totals(10))
    await move('r4')
    await writeTotals(sql, 'r4', 'a', totals(20))
    t.same(await total(id), [130, 0, 0])
  })

  t.test('who holds a row is not waited for', async (t) => {
    const [held, free] = [await db.allocation('r6'), await db.allocation('r6')]
    const relay = fakeRelay('r6', 'a')
    const traffic = createTrafficCounter({ sql, logger })
    traffic.add(relay)
    relay.grow(held, 7)
    relay.grow(free, 7)
    await db.sequelize.transaction(async (transaction) => {
      await sql('SELECT id FROM tunnel_allocations WHERE id = $1 FOR UPDATE', [held], transaction)
      await traffic.flush()
    })
    t.same(
      [await total(held), await total(free)],
      [
        [0, 0, 0],
        [7, 0, 0],
      ],
    )
    await traffic.flush()
    t.same(await total(held), [7, 0, 0])
  })

  t.test('a flush that failed is made up for by the next', async (t) => {
    const id = await db.allocation('r6')
    let away = true
    const relay = fakeRelay('r6', 'b')
    const flaky: typeof sql = async (...args) => {
      if (away) throw new Error('the database is away')
      return sql(...args)
    }
    const traffic = createTrafficCounter({ sql: flaky, logger })
    const leave = traffic.add(relay)
    relay.grow(id, 5)
    await t.rejects(traffic.flush())
    away = false
    relay.grow(id, 3)
    await traffic.flush()
    t.same(await total(id), [8, 0, 0])
    away = true
    relay.grow(id, 1)
    await t.resolves(leave())
  })

  t.test('whatever grows, restarts and is flushed by whom: each byte is counted once', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('grow' as const), at: fc.nat(2), by: fc.nat(1_000) }),
      fc.record({ do: fc.constantFrom('flush' as const, 'both' as const), who: fc.nat(1) }),
      fc.record({ do: fc.constant('restart' as const) }),
      fc.record({ do: fc.constant('crash' as const), who: fc.nat(1) }),
    )
    let epochs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const ids = [await db.allocation('r7'), await db.allocation('r7'), await db.allocation('r7')]
        const expected = new Map(ids.map((id) => [id, 0]))
        const fresh = (): FakeRelay => {
          epochs += 1
          return fakeRelay('r7', `epoch ${epochs}`)
        }
        let relay = fresh()
        const counterOf = () => {
          const traffic = createTrafficCounter({ sql, logger })
          traffic.add(relay)
          return traffic
        }
        const panels = [counterOf(), counterOf()]
        for (const one of steps) {
          if (one.do === 'grow') {
            const id = ids[one.at] as number
            relay.grow(id, one.by)
            expected.set(id, (expected.get(id) ?? 0) + one.by)
          } else if (one.do === 'flush') await panels[one.who]?.flush()
          else if (one.do === 'both') await Promise.all(panels.map((panel) => panel.flush()))
          else if (one.do === 'crash') panels[one.who] = counterOf()
          else {
            const late = panels[0]
            // A flush that finds a row held by the other one leaves it for later.
            for (const panel of panels) await panel.flush()
            relay = fresh()
            panels.splice(0, 2, counterOf(), counterOf())
            await late?.flush()
          }
        }
        for (const panel of panels) await panel.flush()
        for (const id of ids) {
          const counted = [(await total(id))[0], (await minutes(id))[0]]
          if (counted.some((bytes) => bytes !== expected.get(id))) throw new Error(`${counted} of ${expected.get(id)}`)
        }
      }),
      { numRuns: 40 },
    )
  })
})

t.test('rates are those of the last second, and others hear of what goes on', async (t) => {
  const published: (readonly [string, SharedTotals])[] = []
  const shared: SharedTraffic = {
    publish: async (relayId, totals) => void published.push([relayId, totals]),
    read: async () => undefined,
  }
  const stored: Parameters<typeof createTrafficCounter>[0]['sql'] = async (_, values) =>
    JSON.parse(String(values?.[0])) as never
  const traffic = createTrafficCounter({ sql: stored, logger: createTestLogger().logger, shared })
  const relay = fakeRelay('r', 'a')
  traffic.add(relay)
  await traffic.sample(0)
  t.same(published, [], 'nothing goes on')
  relay.grow(1, 500, 3_000, 1, 0)
  await traffic.sample(2_000)
  const live = {
    bytesIn: 500,
    bytesOut: 3_000,
    connections: 1,
    open: 0,
    bytesInPerSecond: 250,
    bytesOutPerSecond: 1_500,
  }
  t.same(published.pop(), ['r', { epoch: 'a', totals: new Map([[1, live]]) }])
  await traffic.flush()
  await traffic.sample(3_000)
  t.same(published.pop(), ['r', { epoch: 'a', totals: new Map() }], 'said once')
  await traffic.sample(4_000)
  t.same(published, [])
})

t.test('what another instance counts is asked for once a second', async (t) => {
  let asked = 0
  const totals = new Map([
    [1, { bytesIn: 30, bytesOut: 0, connections: 2, open: 1, bytesInPerSecond: 5, bytesOutPerSecond: 0 }],
  ])
  const shared: SharedTraffic = {
    publish: async () => undefined,
    async read(relayId) {
      asked += 1
      if (relayId === 'broken') throw new Error('the cache is away')
      return { epoch: 'a', totals }
    },
  }
  const traffic = createTrafficCounter({ sql: async () => [], logger: createTestLogger().logger, shared })
  const row = { id: 1, relay_id: 'there', bytes_in: 100, bytes_out: 0, connections: 9, counted_epoch: 'a' }
  const counted = { counted_before: null, counted_in: 20, counted_out: 0, counted_connections: 2 }
  const of = (more: object = {}) => traffic.live({ ...row, ...counted, ...more } as never)
  t.equal(of(), undefined)
  await Promise.all([traffic.refresh(['there', 'there', 'broken']), traffic.refresh(['there'])])
  t.equal(asked, 2)
  t.match(of(), { bytesIn: 110, connections: 9, open: 1, bytesInPerSecond: 5 })
  t.match(of({ counted_in: 40 }), { bytesIn: 100 }, 'the row is newer')
  t.match(of({ counted_epoch: 'b', counted_before: 'a' }), { bytesIn: 100 }, 'that epoch is over')
  t.match(of({ counted_epoch: 'z' }), { bytesIn: 130 }, 'a new epoch')
})
