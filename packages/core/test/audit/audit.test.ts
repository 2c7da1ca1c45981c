import { QueryTypes } from 'sequelize'
import t from 'tap'
import { sweep } from '../../dist/audit/retention.js'
import { createAuditStorage } from '../../dist/audit/storage.js'
import { Audit, type AuditRecord, audit, Database, type Principal } from '../../dist/index.js'
import { createTestKernel } from '../../dist/testing/index.js'
import { needs } from '../support/needs.js'
import { as, signIn } from '../support/sign-in.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

const ada: Principal = {
  kind: 'user',
  id: 'user-1',
  name: 'Ada',
  permissions: [],
  memberships: [],
  strategy: 'test',
}

interface Answer {
  readonly entries: readonly { readonly id: string; readonly action: string; readonly data: unknown }[]
  readonly next: string | null
}

t.test('audit', async (t) => {
  await using kernel = await createTestKernel({ plugins: [audit(), signIn(), needs(Audit, Database)] })
  const { record } = kernel.get(Audit)
  const { sequelize } = kernel.get(Database)
  const list = async (query = ''): Promise<Answer> => {
    const response = await kernel.fetch(`/api/audit${query}`, { headers: as('audit:read') })
    if (response.status !== 200) throw new Error(`${query} gives ${response.status}`)
    return (await response.json()) as Answer
  }
  t.beforeEach(() => sequelize.query('TRUNCATE core_audit').then(() => undefined))

  await t.test('keeps who did what, from where, when', async (t) => {
    await record({
      action: 'device.approved',
      actor: ada,
      target: { type: 'device', id: 'd1' },
      ip: '192.0.2.1',
      requestId: 'r1',
      data: { name: 'box' },
    })
    await record({ action: 'audit.swept', actor: 'system' })
    await record({ action: 'session.refused', actor: undefined })
    const { entries, next } = await list()
    t.equal(next, null)
    t.match(entries, [
      { action: 'session.refused', actor: null, target: null, ip: null, requestId: null, data: null },
      { action: 'audit.swept', actor: { kind: 'system', id: 'system', name: null } },
      {
        action: 'device.approved',
        actor: { kind: 'user', id: 'user-1', name: 'Ada' },
        target: { type: 'device', id: 'd1' },
        ip: '192.0.2.1',
        requestId: 'r1',
        data: { name: 'box' },
        at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
      },
    ])
  })

  await t.test('is read a page at a time', async (t) => {
    for (let index = 0; index < 25; index += 1) await record({ action: `test.${index}` })
    const seen: string[] = []
    let query = '?limit=10'
    for (let page = 0; page < 3; page += 1) {
      const { entries, next } = await list(query)
      seen.push(...entries.map(({ action }) => action))
      query = `?limit=10&before=${next}`
      t.equal(next === null, page === 2)
      await record({ action: 'test.meanwhile' })
    }
    t.same(
      seen,
      Array.from({ length: 25 }, (_, index) => `test.${24 - index}`),
    )
    const exact = await list('?limit=200')
    t.equal(exact.next, null)
  })

  await t.test('is filtered by action, actor and target', async (t) => {
    await record({ action: 'a', actor: ada, target: { type: 'device', id: 'd1' } })
    await record({ action: 'a', actor: 'system', target: { type: 'device', id: 'd2' } })
    await record({ action: 'b', actor: ada, target: { type: 'device', id: 'd2' } })
    const count = async (query: string): Promise<number> => (await list(query)).entries.length
    t.equal(await count('?action=a'), 2)
    t.equal(await count('?actor=user-1'), 2)
    t.equal(await count('?actor=system'), 1)
    t.equal(await count('?target=d2&actor=user-1'), 1)
    t.equal(await count(`?action=${encodeURIComponent("a' OR true --")}`), 0)
  })

  await t.test('is for those who may read it, and asked for properly', async (t) => {
    t.equal((await kernel.fetch('/api/audit')).status, 401)
    t.equal((await kernel.fetch('/api/audit', { headers: as('audit:write', 'users:*') })).status, 403)
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'before=x',
      'before=-1',
      'before=9'.repeat(30),
      'other=1',
    ]) {
      const { status } = await kernel.fetch(`/api/audit?${query}`, { headers: as('audit:read') })
      t.equal(status, 400, query)
    }
    t.same((await list('?before=999999999999999999')).entries, [])
  })

  await t.test('stays within bounds, whatever is recorded', async (t) => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const odd: AuditRecord[] = [
      { action: 'x'.repeat(5_000), ip: '\0', requestId: 'ü'.repeat(5_000) },
      { action: 'odd', actor: { ...ada, id: 'a\0b', name: '\ud800' }, target: { type: '\0', id: '\0' } },
      { action: 'large', data: { text: 'x'.repeat(100_000) } },
      { action: 'circular', data: circular },
      { action: 'big', data: { n: 7n } },
      { action: 'nul', data: { 'k\0': 'a\0b', half: '\ud800', back: '\\u0000', quote: '"\\' } },
    ]
    for (const each of odd) await record(each)
    const { entries } = await list()
    t.equal(entries.length, odd.length)
    const dataOf = (action: string): unknown => entries.find((entry) => entry.action === action)?.data
    t.match(dataOf('large'), { omitted: /bytes/ })
    t.match(dataOf('circular'), { omitted: /JSON/ })
    t.match(dataOf('big'), { omitted: /JSON/ })
    t.same(dataOf('nul'), { 'k\ufffd': 'a\ufffdb', half: '\ufffd', back: '\\u0000', quote: '"\\' })
    t.ok(entries.every(({ action }) => action.length <= 300))
  })

  await t.test('is kept for so long, and removed in batches', async (t) => {
    await sequelize.query(
      "INSERT INTO core_audit (action, at) SELECT 'old', now() - interval '11 days' FROM generate_series(1, 2500)",
    )
    await sequelize.query("INSERT INTO core_audit (action, at) VALUES ('young', now() - interval '9 days')")
    const storage = createAuditStorage(kernel.get(Database))
    const removed: number[] = []
    await sweep(
      {
        ...storage,
        async removeOld(days, limit) {
          const count = await storage.removeOld(days, limit)
          removed.push(count)
          return count
        },
      },
      10,
      () => false,
    )
    t.same(removed, [1_000, 1_000, 500])
    const rows = await sequelize.query<{ action: string }>('SELECT action FROM core_audit', { type: QueryTypes.SELECT })
    t.same(rows, [{ action: 'young' }])
  })
})
