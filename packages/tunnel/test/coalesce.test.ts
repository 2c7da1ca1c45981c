import t from 'tap'
import { coalesce } from '../dist/coalesce.js'

/** Work whose every run ends when the test says so. */
function held(): { work: () => Promise<void>; runs: { end: (error?: Error) => void }[] } {
  const runs: { end: (error?: Error) => void }[] = []
  return {
    runs,
    work: () =>
      new Promise((resolve, reject) => {
        runs.push({ end: (error) => (error ? reject(error) : resolve()) })
      }),
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('whoever asks while it runs shares the one run that follows', async (t) => {
  const { work, runs } = held()
  const coalesced = coalesce(work)
  const first = coalesced.run()
  const others = [coalesced.run(), coalesced.run(), coalesced.run()]
  t.equal(runs.length, 1)
  runs[0]?.end()
  await first
  await turn()
  t.equal(runs.length, 2)
  runs[1]?.end()
  await Promise.all(others)
  await coalesced.idle()
  t.equal(runs.length, 2)
})

t.test('a failed run is told to who asked for it, and the next one runs', async (t) => {
  const { work, runs } = held()
  const coalesced = coalesce(work)
  const first = coalesced.run()
  const second = coalesced.run()
  runs[0]?.end(new Error('no'))
  await t.rejects(first, /no/)
  await turn()
  runs[1]?.end()
  await second
})

t.test('never two at one time', async (t) => {
  let running = 0
  let most = 0
  const coalesced = coalesce(async () => {
    running += 1
    most = Math.max(most, running)
    await turn()
    running -= 1
  })
  const asked: Promise<void>[] = []
  for (let n = 0; n < 50; n += 1) {
    asked.push(coalesced.run())
    await Promise.resolve()
  }
  await Promise.all(asked)
  t.equal(most, 1)
})
