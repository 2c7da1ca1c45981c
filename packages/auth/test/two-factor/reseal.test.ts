import { createTestLogger } from '@sallyport/core/testing'
import t from 'tap'
import { resealOutdated } from '../../dist/strategies/two-factor/reseal.js'
import type { Secrets } from '../../dist/strategies/two-factor/secrets.js'
import type { TwoFactorStore } from '../../dist/strategies/two-factor/two-factor-store.js'

interface Row {
  secret: string
  sealedBy: string
}

/** Seals by writing the key and the user down. */
const secrets: Secrets = {
  newestKey: 'new',
  seal: (secret, userId) => ({ sealed: `new ${userId} ${secret}`, sealedBy: 'new' }),
  open(sealed, userId) {
    const [key, owner, secret = ''] = sealed.split(' ')
    return key === 'lost' || owner !== userId ? undefined : { secret, outdated: key !== 'new' }
  },
}

function createStore(rows: Map<string, Row>): { store: TwoFactorStore; batches: number[] } {
  const batches: number[] = []
  const store: Partial<TwoFactorStore> = {
    async sealedByOthers(key, after, limit) {
      const found = [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([id, row]) => row.sealedBy !== key && id > after)
      batches.push(Math.min(found.length, limit))
      return found.slice(0, limit).map(([userId, { secret }]) => ({ userId, secret }))
    },
    async reseal(userId, former, { sealed, sealedBy }) {
      const row = rows.get(userId)
      if (row?.secret === former) rows.set(userId, { secret: sealed, sealedBy })
    },
  }
  return { store: store as TwoFactorStore, batches }
}

function makeRows(count: number, keyOf: (n: number) => string): Map<string, Row> {
  const ids = Array.from({ length: count }, (_, n) => `user${String(n).padStart(4, '0')}`)
  return new Map(ids.map((id, n) => [id, { secret: `${keyOf(n)} ${id} S${n}`, sealedBy: keyOf(n) }]))
}

t.test('seals all anew, a batch at a time, and reports what it cannot open', async (t) => {
  const rows = makeRows(350, (n) => (n % 50 === 7 ? 'lost' : n % 3 === 0 ? 'new' : 'old'))
  const { store, batches } = createStore(rows)
  const run = async () => {
    const log = createTestLogger()
    await resealOutdated({ store, secrets, logger: log.logger, signal: new AbortController().signal })
    return log.lines
  }
  const lost = { level: 50, users: 7 }
  t.match(await run(), [{ level: 30 }, lost])
  const left = [...rows.values()].filter(({ sealedBy }) => sealedBy !== 'new')
  t.equal(left.length, 7)
  t.ok(left.every(({ secret }) => secret.startsWith('lost')))
  t.ok(batches.every((length) => length <= 100))
  t.ok(batches.length > 1)
  t.ok([...rows].every(([id, { secret }]) => secret.split(' ')[1] === id))
  t.match(await run(), [lost], 'and again at the next start')
})

t.test('stops when it is told to', async (t) => {
  const rows = makeRows(350, () => 'old')
  const { store } = createStore(rows)
  const stop = new AbortController()
  const { reseal } = store
  let count = 0
  const stopping: TwoFactorStore = {
    ...store,
    async reseal(...args) {
      count += 1
      if (count === 120) stop.abort()
      await reseal(...args)
    },
  }
  await resealOutdated({ store: stopping, secrets, logger: createTestLogger().logger, signal: stop.signal })
  t.equal(count, 120)
})
