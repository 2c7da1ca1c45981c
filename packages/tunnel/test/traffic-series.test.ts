import { missingPostgres, skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { rollUp } from '../dist/traffic/roll-up.js'
import { readSeries, type TrafficSeries } from '../dist/traffic/series.js'
import { openTunnelDatabase } from './support/tunnel-database.js'

t.test('series', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const db = await openTunnelDatabase()
  t.teardown(() => db.close())
  const { sql, sequelize } = db
  await db.relay('r')
  const kept = { minutesKeptHours: 24, hoursKeptDays: 90 }
  const add = (id: number, ago: string, bytes: number, table = 'minutes') =>
    sql(
      `INSERT INTO tunnel_traffic_${table} (allocation_id, at, bytes_in, bytes_out, connections)
       VALUES ($1, date_trunc('${table.slice(0, -1)}', now() - $2::interval, 'UTC'), $3::bigint, $3::bigint * 2, 1)`,
      [id, ago, bytes],
    )
  const count = async (table: string, id: number) => {
    const [row] = await sql<{ n: number }>(
      `SELECT count(*)::integer AS n FROM tunnel_traffic_${table} WHERE allocation_id = $1`,
      [id],
    )
    return row?.n
  }
  const sum = ({ points }: TrafficSeries) => points.reduce((all, { bytesIn }) => all + bytesIn, 0)

  t.test('the last hour by minutes, zeros in the gaps', async (t) => {
    const id = await db.allocation('r')
    await add(id, '0', 5)
    await add(id, '10 minutes', 7)
    await add(id, '2 hours', 100)
    const series = await readSeries(sql, id, { resolution: 'minute' })
    t.equal(series.points.length, 60)
    t.equal(sum(series), 12)
    t.match(
      series.points.find(({ bytesIn }) => bytesIn === 5),
      { bytesOut: 10, connections: 1 },
    )
    t.equal(series.points[0]?.at, series.from)
    t.ok(series.points.every(({ at }) => at.endsWith(':00.000Z')))
    const ranged = await readSeries(sql, id, { resolution: 'hour', from: series.from, to: series.to })
    t.equal(sum(ranged), 12, 'hours that are not over yet are made of minutes')
  })

  t.test('old minutes become hours once, whoever does it, and what comes late is added', async (t) => {
    const id = await db.allocation('r')
    for (const ago of ['26 hours', '26 hours 1 minute', '27 hours', '3 days', '1 hour']) await add(id, ago, 10)
    const week = async () => {
      const from = new Date(Date.now() - 7 * 86_400_000).toISOString()
      return sum(await readSeries(sql, id, { resolution: 'hour', from }))
    }
    t.equal(await week(), 50)
    await Promise.all([rollUp(sql, sequelize, kept), rollUp(sql, sequelize, kept), rollUp(sql, sequelize, kept)])
    t.equal(await count('minutes', id), 1)
    t.equal(await week(), 50)
    await add(id, '26 hours', 3)
    t.equal(await week(), 53, 'before the next roll-up')
    await rollUp(sql, sequelize, kept)
    await rollUp(sql, sequelize, kept)
    t.equal(await week(), 53)
    t.equal(await count('minutes', id), 1)
  })

  t.test('one that is interrupted leaves everything as it was', async (t) => {
    const id = await db.allocation('r')
    await add(id, '30 hours', 10)
    await add(id, '31 hours', 10)
    const dying: typeof sql = async (statement, values, transaction) => {
      const rows = await sql(statement, values, transaction)
      if (statement.includes('tunnel_traffic_hours')) throw new Error('killed')
      return rows as never
    }
    await t.rejects(rollUp(dying, sequelize, kept), /killed/)
    t.same([await count('minutes', id), await count('hours', id)], [2, 0])
    await rollUp(sql, sequelize, kept)
    t.same([await count('minutes', id), await count('hours', id)], [0, 2])
  })

  t.test('old hours go, and an allocation that is being deleted is left alone', async (t) => {
    const [id, doomed] = [await db.allocation('r'), await db.allocation('r')]
    await add(id, '91 days', 10, 'hours')
    await add(id, '80 days', 10, 'hours')
    await add(doomed, '30 hours', 10)
    await sequelize.transaction(async (transaction) => {
      await sql('SELECT id FROM tunnel_allocations WHERE id = $1 FOR UPDATE', [doomed], transaction)
      await rollUp(sql, sequelize, kept)
      await sql('DELETE FROM tunnel_allocations WHERE id = $1 RETURNING id', [doomed], transaction)
    })
    t.equal(await count('hours', id), 1)
    t.same([await count('minutes', doomed), await count('hours', doomed)], [0, 0])
  })

  t.test('a bad range is refused', async (t) => {
    const id = await db.allocation('r')
    const refused = (request: object) =>
      t.rejects(readSeries(sql, id, { resolution: 'minute', ...request }), {
        code: 'CORE_ERR_BAD_REQUEST',
        status: 400,
      })
    await refused({ from: 'yesterday' })
    await refused({ from: '2026-01-01T00:00:00' })
    await refused({ to: '2026-13-01T00:00:00Z' })
    await refused({ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' })
    await refused({ from: '2026-01-01T00:00:00Z', to: '2026-01-02T01:01:00Z' })
    await refused({ resolution: 'hour', from: '2026-01-01T00:00:00Z', to: '2026-05-01T00:00:00Z' })
    const most = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T01:00:00+00:00' }
    t.equal((await readSeries(sql, id, { resolution: 'minute', ...most })).points.length, 1_500)
  })
})
