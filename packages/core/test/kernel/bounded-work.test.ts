import t from 'tap'
import { createBoundedWork } from '../../dist/index.js'

const busy = (): Error => new Error('busy')

/** Work that ends when told. */
function gate(): { readonly work: () => Promise<string>; readonly open: () => void; readonly started: () => boolean } {
  let started = false
  let open = (): void => undefined
  const promise = new Promise<string>((resolve) => {
    open = () => resolve('done')
  })
  return {
    work: () => {
      started = true
      return promise
    },
    open: () => open(),
    started: () => started,
  }
}

const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )

t.test('runs so many at a time, and the next in line when one ends', async (t) => {
  const bounded = createBoundedWork({ concurrency: 2, maxWaiting: 2, waitTimeoutMs: 10_000, busy })
  const gates = [gate(), gate(), gate(), gate()]
  const results = gates.map(({ work }) => bounded(work))
  await Promise.resolve()
  t.same(
    gates.map(({ started }) => started()),
    [true, true, false, false],
  )
  gates[0]?.open()
  await results[0]
  t.same(
    gates.map(({ started }) => started()),
    [true, true, true, false],
  )
  for (const { open } of gates) open()
  t.same(await Promise.all(results), ['done', 'done', 'done', 'done'])
})

t.test('refuses what exceeds the line', async (t) => {
  const bounded = createBoundedWork({ concurrency: 1, maxWaiting: 1, waitTimeoutMs: 10_000, busy })
  const held = gate()
  const first = bounded(held.work)
  const second = bounded(async () => 'second')
  t.equal(await codeOf(bounded(async () => 'third')), 'busy')
  held.open()
  t.same(await Promise.all([first, second]), ['done', 'second'])
})

t.test('refuses what waited too long, and gives its place to no one', async (t) => {
  const bounded = createBoundedWork({ concurrency: 1, maxWaiting: 5, waitTimeoutMs: 5, busy })
  const held = gate()
  const first = bounded(held.work)
  t.equal(await codeOf(bounded(async () => 'late')), 'busy')
  held.open()
  await first
  t.equal(await bounded(async () => 'next'), 'next')
})

t.test('work that fails leaves its place', async (t) => {
  const bounded = createBoundedWork({ concurrency: 1, maxWaiting: 1, waitTimeoutMs: 10_000, busy })
  await t.rejects(
    bounded(() => Promise.reject(new Error('broken'))),
    /broken/,
  )
  t.equal(await bounded(async () => 'next'), 'next')
})
