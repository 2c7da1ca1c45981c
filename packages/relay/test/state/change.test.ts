import fc from 'fast-check'
import t from 'tap'
import { createRelay, memoryStorage, type Relay, type RelayAllocation, type RelayStorage } from '../../dist/index.js'
import { SnapshotSaver } from '../../dist/state/snapshot-saver.js'
import { allocation, startRelay, until } from '../support.js'

const MANY = 10_000

/** What is stored of the desired state, in the order of ids. */
async function stored(storage: RelayStorage) {
  const snapshot = (await storage.load()) as { state: { revision: number; allocations: RelayAllocation[] } }
  return { ...snapshot.state, allocations: snapshot.state.allocations.toSorted((a, b) => a.id - b.id) }
}

/** The conditions, without the numbers of free ports. */
function conditions(relay: Relay) {
  const { revision, allocations } = relay.status()
  const rows = allocations.map(({ allocationId, protocol, status }) => ({ allocationId, protocol, status }))
  return { revision, rows: rows.toSorted((a, b) => a.allocationId - b.allocationId) }
}

const someAllocation = fc
  .record({
    id: fc.integer({ min: 1, max: 5 }),
    deviceId: fc.constantFrom('device-1', 'device-2'),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    paused: fc.boolean(),
    grant: fc.constantFrom('a', 'b'),
    targetPort: fc.constantFrom(80, 81),
    bandwidth: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  })
  .map(({ id, targetPort, bandwidth, ...more }) =>
    allocation(id, targetPort, { ...more, ...(bandwidth === undefined ? {} : { options: { bandwidth } }) }),
  )
const some = fc.uniqueArray(someAllocation, { selector: ({ id }) => id, maxLength: 5 })
const step = fc.oneof(
  fc.record({ kind: fc.constant('apply' as const), revision: fc.integer({ min: 0, max: 20 }), allocations: some }),
  fc.record({
    kind: fc.constant('change' as const),
    revision: fc.integer({ min: 0, max: 20 }),
    upsert: some,
    remove: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  }),
)

t.test('any sequence of states and changes ends as the one state that it amounts to', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const storage = memoryStorage()
      const relay = createRelay({ dataPort: 0, storage })
      const once = createRelay({ dataPort: 0 })
      await Promise.all([relay.start(), once.start()])
      try {
        let revision = 0
        let model = new Map<number, RelayAllocation>()
        for (const step of steps) {
          if (step.kind === 'apply') {
            await relay.apply(step)
            if (step.revision < revision) continue
            model = new Map(step.allocations.map((one) => [one.id, one]))
          } else {
            await relay.change(step)
            if (step.revision <= revision) continue
            for (const id of step.remove) model.delete(id)
            for (const one of step.upsert) model.set(one.id, one)
          }
          revision = step.revision
        }
        const allocations = [...model.values()]
        await once.apply({ revision, allocations })
        t.same(conditions(relay), conditions(once))
        if (steps.length > 0 && revision > 0)
          t.same(await stored(storage), { revision, allocations: allocations.toSorted((a, b) => a.id - b.id) })
      } finally {
        await Promise.all([relay.stop(), once.stop()])
      }
    }),
    { numRuns: 60 },
  )
})

t.test('changes at once, without waiting for each, end the same', async (t) => {
  const storage = memoryStorage()
  const relay = await startRelay(t, { storage })
  const changes = Array.from({ length: 50 }, (_, n) =>
    relay.change({ revision: n + 1, upsert: [allocation(n % 7, 80 + n)], remove: [(n + 3) % 7] }),
  )
  await Promise.all(changes)
  t.equal(relay.status().revision, 50)
  const { allocations } = await stored(storage)
  t.same(
    relay
      .status()
      .allocations.map(({ allocationId, status }) => [allocationId, status])
      .sort(),
    allocations.map(({ id }) => [id, 'listening']),
  )
})

t.test('a change that is not valid changes nothing', async (t) => {
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, 80)] })
  const bad = [
    { revision: 2, upsert: [allocation(2, 0)], remove: [1] },
    { revision: 2, upsert: [allocation(2, 80), allocation(2, 81)], remove: [1] },
    { revision: 2, upsert: [], remove: [-1] },
    { revision: -1, upsert: [], remove: [] },
    {},
    null,
  ]
  for (const change of bad) await t.rejects(relay.change(change as never), { code: 'RELAY_ERR_INVALID_STATE' })
  t.match(relay.status(), { revision: 1, allocations: [{ allocationId: 1, status: 'listening' }] })
  t.equal(relay.status().allocations.length, 1)
})

t.test('one change among ten thousand costs what one change costs', async (t) => {
  let saves = 0
  const storage: RelayStorage = {
    load: async () => undefined,
    save: async () => {
      saves += 1
    },
  }
  const relay = await startRelay(t, { storage })
  // Paused: ten thousand sockets are not what is measured.
  const allocations = Array.from({ length: MANY }, (_, n) => allocation(n + 1, 80, { paused: true, grant: 'g' }))
  await relay.apply({ revision: 1, allocations })
  const savedBefore = saves
  const times: number[] = []
  for (let n = 0; n < 100; n += 1) {
    const startedAt = performance.now()
    await relay.change({
      revision: n + 2,
      upsert: [allocation(n + 1, 81, { paused: true, grant: 'g', options: { deny: ['10.0.0.0/8'] } })],
      remove: [MANY - n],
    })
    times.push(performance.now() - startedAt)
  }
  const median = times.toSorted((a, b) => a - b)[50] ?? Number.NaN
  t.ok(median < 5, `${median} ms`)
  t.equal(relay.status().allocations.length, MANY - 100)
  t.ok(saves - savedBefore <= 101)
})

t.test('making snapshots takes a fifth of the time at most, and misses no change', async (t) => {
  const WORK_MS = 20
  const MAX_REST_MS = 1_000
  let value = 0
  let endedAt = 0
  let workMs = 0
  /** Each work with the rest after it: the processor may be taken away in the midst of either. */
  const pairs: { workMs: number; restMs: number }[] = []
  const taken: number[] = []
  const storage: RelayStorage = {
    load: async () => undefined,
    save: async (snapshot) => {
      const startedAt = performance.now()
      if (taken.length > 0) pairs.push({ workMs, restMs: startedAt - endedAt })
      while (performance.now() - startedAt < WORK_MS);
      endedAt = performance.now()
      workMs = endedAt - startedAt
      taken.push(snapshot as number)
    },
  }
  const saver = new SnapshotSaver(storage, () => value)
  const saves: Promise<void>[] = []
  await until(() => {
    value += 1
    saves.push(saver.save())
    return taken.length >= 5
  })
  t.ok(pairs.length >= 4)
  for (const { workMs, restMs } of pairs)
    t.ok(restMs > Math.min(MAX_REST_MS, 4 * workMs) - 5, `${restMs} ms after ${workMs} ms`)
  await Promise.all(saves)
  await saver.idle()
  t.equal(taken.at(-1), value)
})
