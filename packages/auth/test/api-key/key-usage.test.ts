import { Database } from '@sallyport/core'
import t from 'tap'
import { createKeyUsage } from '../../dist/strategies/api-key/key-usage.js'
import { as, startKeyPanel } from './support.js'

t.test('when a key was last used', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, newKey, statusOf } = panel
  const { sequelize } = panel.kernel.get(Database)
  const stored = async (id: string): Promise<Date | null> => {
    const [rows] = await sequelize.query('SELECT last_used_at FROM auth_api_keys WHERE id = $1', { bind: [id] })
    return (rows as { last_used_at: Date | null }[])[0]?.last_used_at ?? null
  }
  const make = async () => {
    const { id } = await newKey(admin)
    return { id, lastUsedAt: null as Date | null }
  }

  t.test('is shown at once and written later', async (t) => {
    const { id, key } = await newKey(admin)
    for (let n = 0; n < 20; n += 1) await statusOf(key)
    const { entry } = (await as(call, admin)('GET', `/api/apikeys/${id}`)).body
    t.ok(Math.abs(Date.parse(entry.lastUsedAt) - Date.now()) < 10_000)
    t.equal(await stored(id), null, 'no request has written it')
  })

  t.test('is written for many keys by one statement', async (t) => {
    const keys = await Promise.all(Array.from({ length: 30 }, make))
    const statements: string[] = []
    const counting = {
      query: async (sql: string, ...rest: unknown[]) => {
        statements.push(sql)
        return (sequelize.query as (...args: unknown[]) => unknown)(sql, ...rest)
      },
    } as unknown as typeof sequelize
    const usage = createKeyUsage({ sequelize: counting })
    for (const key of keys) for (let n = 0; n < 10; n += 1) usage.note(key)
    await usage.flush()
    t.equal(statements.length, 1)
    for (const { id } of keys) t.ok(await stored(id))
    await usage.flush()
    t.equal(statements.length, 1, 'and once')
  })

  t.test('is written once a minute at most', async (t) => {
    const usage = createKeyUsage({ sequelize })
    const key = await make()
    const now = Date.now()
    usage.note({ ...key, lastUsedAt: new Date(now - 59_000) })
    t.same(usage.lastUsedAt({ ...key, lastUsedAt: new Date(now - 59_000) }), new Date(now - 59_000))
    usage.note({ ...key, lastUsedAt: new Date(now - 61_000) })
    t.ok((usage.lastUsedAt({ ...key, lastUsedAt: new Date(now - 61_000) })?.getTime() ?? 0) >= now)
    const later = new Date(now + 60_000)
    t.same(usage.lastUsedAt({ ...key, lastUsedAt: later }), later, 'another instance knows better')
    await sequelize.query('UPDATE auth_api_keys SET last_used_at = $2 WHERE id = $1', { bind: [key.id, later] })
    await usage.flush()
    t.same(await stored(key.id), later, 'time does not go back')
  })

  t.test('waits when it cannot be written', async (t) => {
    const key = await make()
    let away = true
    const failing = {
      query: async (...args: unknown[]) => {
        if (away) throw new Error('away')
        return (sequelize.query as (...given: unknown[]) => unknown)(...args)
      },
    } as unknown as typeof sequelize
    const usage = createKeyUsage({ sequelize: failing })
    usage.note(key)
    await t.rejects(usage.flush(), { message: 'away' })
    away = false
    await usage.flush()
    t.ok(await stored(key.id))
  })

  t.test('is kept of so many keys and no more', async (t) => {
    const usage = createKeyUsage({ sequelize })
    for (let n = 0; n < 30_000; n += 1) usage.note({ id: `key ${n}`, lastUsedAt: null })
    t.ok(usage.lastUsedAt({ id: 'key 19999', lastUsedAt: null }))
    t.equal(usage.lastUsedAt({ id: 'key 20000', lastUsedAt: null }), null)
  })
})
