import t from 'tap'
import { createInTurn } from '../dist/in-turn.js'

/** Work that ends when it is told to. */
function steps(count: number) {
  const ends: (() => void)[] = []
  const begun: number[] = []
  const work = Array.from({ length: count }, (_, n) => () => {
    begun.push(n)
    return new Promise<number>((resolve) => ends.push(() => resolve(n)))
  })
  return { work, ends, begun }
}

t.test('a few at a time, first come, first served; one that fails gives its place on', async (t) => {
  const inTurn = createInTurn('busy')
  const { work, ends, begun } = steps(6)
  const failing = inTurn(() => Promise.reject(new Error('no')))
  const results = work.map((one) => inTurn(one))
  await t.rejects(failing, { message: 'no' })
  await new Promise(setImmediate)
  t.same(begun, [0, 1, 2])
  ends[1]?.()
  t.equal(await results[1], 1)
  await new Promise(setImmediate)
  t.same(begun, [0, 1, 2, 3])
  while (begun.length < 6 || ends.length > 0) {
    ends.shift()?.()
    await new Promise(setImmediate)
  }
  t.same(await Promise.all(results), [0, 1, 2, 3, 4, 5])
})

t.test('too many are turned away at once', async (t) => {
  const inTurn = createInTurn('Too many things are being made')
  const { work, ends } = steps(2_004)
  const results = work.map((one) => inTurn(one))
  await t.rejects(async () => results.at(-1), { code: 'CORE_ERR_UNAVAILABLE', message: /Too many things/ })
  const rest = Promise.all(results.slice(0, 2_003))
  const timer = setInterval(() => {
    for (const end of ends.splice(0)) end()
  })
  t.equal((await rest).length, 2_003)
  clearInterval(timer)
})
