import type { Sql } from '@sallyport/core'
import t from 'tap'
import { createTrafficCounter } from '../dist/traffic/traffic.js'

type Written = { id: number; i: number; o: number; c: number }

function counter(
  now: { allocationId: number; bytesIn: number; bytesOut: number; connections: number; open: number }[],
) {
  const written: Written[][] = []
  let fails = false
  const sql = (async (_text: string, values: readonly string[]) => {
    if (fails) throw new Error('the database is away')
    const rows = (JSON.parse(values[0] ?? '[]') as Written[]).filter(({ id }) => !held.has(id))
    written.push(rows)
    return rows.map(({ id }) => ({ id: String(id) }))
  }) as unknown as Sql
  /** Rows that somebody else has locked. */
  const held = new Set<number>()
  const fail = (on: boolean): void => {
    fails = on
  }
  return { traffic: createTrafficCounter(sql, () => now), written, fail, held }
}

const stored = { bytesIn: 100, bytesOut: 1_000, connections: 7, open: 0 }

t.test('totals go on from what the database has; only what came since is written', async (t) => {
  const live = { allocationId: 1, bytesIn: 5, bytesOut: 6, connections: 1, open: 1 }
  const { traffic, written } = counter([live])
  traffic.track(new Map([[1, stored]]))
  traffic.observe()
  t.same(traffic.of(1), { bytesIn: 105, bytesOut: 1_006, connections: 8, open: 1 })
  await traffic.flush()
  live.bytesIn = 15
  await traffic.flush()
  await traffic.flush()
  t.same(written, [[{ id: 1, i: 5, o: 6, c: 1 }], [{ id: 1, i: 10, o: 0, c: 0 }]])
  traffic.track(new Map([[1, { ...stored, bytesIn: 115 }]]))
  t.equal(traffic.of(1)?.bytesIn, 115, 'counted once, though the database has it now')
})

t.test('a flush that failed is made up for by the next', async (t) => {
  const live = { allocationId: 1, bytesIn: 5, bytesOut: 0, connections: 1, open: 0 }
  const { traffic, written, fail } = counter([live])
  traffic.track(new Map([[1, stored]]))
  fail(true)
  await t.rejects(traffic.flush())
  fail(false)
  live.bytesIn = 8
  await traffic.flush()
  t.same(written, [[{ id: 1, i: 8, o: 0, c: 1 }]])
})

t.test('what somebody else has locked is written by a later flush', async (t) => {
  const live = { allocationId: 1, bytesIn: 5, bytesOut: 0, connections: 1, open: 0 }
  const { traffic, written, held } = counter([live])
  traffic.track(new Map([[1, stored]]))
  held.add(1)
  await traffic.flush()
  held.clear()
  live.bytesIn = 8
  await traffic.flush()
  await traffic.flush()
  t.same(written, [[], [{ id: 1, i: 8, o: 0, c: 1 }]])
})

t.test('a relay that counts anew loses nothing', async (t) => {
  const live = { allocationId: 1, bytesIn: 50, bytesOut: 50, connections: 5, open: 2 }
  const { traffic } = counter([live])
  traffic.track(new Map([[1, stored]]))
  traffic.observe()
  Object.assign(live, { bytesIn: 3, bytesOut: 0, connections: 1, open: 1 })
  traffic.observe()
  t.same(traffic.of(1), { bytesIn: 153, bytesOut: 1_050, connections: 13, open: 1 })
})

t.test('what is gone is forgotten, what is not known is not counted', async (t) => {
  const live = [{ allocationId: 1, bytesIn: 5, bytesOut: 5, connections: 1, open: 0 }]
  const { traffic, written } = counter(live)
  await traffic.flush()
  t.equal(traffic.of(1), undefined)
  traffic.track(new Map([[1, stored]]))
  traffic.track(new Map())
  await traffic.flush()
  t.same(written, [])
  t.same(traffic.passed(), { bytesIn: 5, bytesOut: 5, connections: 1, open: 0 }, 'but it did pass')
})
