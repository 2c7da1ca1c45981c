import t from 'tap'
import { SourceGate } from '../../dist/flows/source-gate.js'
import { SourceMarks } from '../../dist/flows/source-marks.js'

const START = 1_000_000
const BURST = 256

function address(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
}

/** A gate whose first sights are used up. */
function pressed(): SourceGate {
  const gate = new SourceGate()
  for (let n = 0; n < BURST; n += 1) {
    if (gate.admits(address(n), 1, START) !== 'first') throw new Error('too early')
    gate.began('first')
  }
  return gate
}

t.test('so many at first sight, then only who comes again', async (t) => {
  const gate = pressed()
  t.notOk(gate.admits('192.0.2.1', 5, START))
  t.notOk(gate.admits('192.0.2.1', 6, START), 'another port is another source')
  t.ok(gate.admits('192.0.2.1', 5, START + 1))
  t.ok(gate.admits('192.0.2.1', 6, START + 1))
})

t.test('first sights come back with time, and are not used up by who gets no flow', async (t) => {
  const gate = pressed()
  t.notOk(gate.admits('192.0.2.1', 5, START))
  for (let n = 0; n < 1_000; n += 1) t.ok(gate.admits(address(n), 7, START + 1_000))
  for (let n = 0; n < 64; n += 1) gate.began('first')
  t.notOk(gate.admits('192.0.2.2', 5, START + 1_000))
})

t.test('who comes again takes no first sight away', async (t) => {
  const gate = pressed()
  gate.admits('192.0.2.1', 5, START)
  for (let n = 0; n < 1_000; n += 1) {
    t.equal(gate.admits('192.0.2.1', 5, START + 1_000), 'again')
    gate.began('again')
  }
  t.equal(gate.admits('192.0.2.2', 5, START + 1_000), 'first')
})

t.test('a source is remembered for five seconds at least and ten at most', async (t) => {
  for (const [afterMs, known] of [
    [4_999, true],
    [10_001, false],
    [60_000, false],
  ] as const)
    for (const offset of [0, 1_000, 4_000]) {
      const marks = new SourceMarks(START)
      marks.see('192.0.2.1', 5, START + offset)
      t.equal(marks.see('192.0.2.1', 5, START + offset + afterMs), known, `${afterMs} after ${offset}`)
    }
})

t.test(
  'of a hundred thousand sources seen once none is taken for seen, and most are known when they come again',
  async (t) => {
    const marks = new SourceMarks(START)
    let mistaken = 0
    for (let n = 0; n < 100_000; n += 1) if (marks.see(address(n), n & 0xffff, START)) mistaken += 1
    t.ok(mistaken <= 1, `${mistaken} mistaken`)
    let known = 0
    for (let n = 90_000; n < 100_000; n += 1) if (marks.see(address(n), n & 0xffff, START)) known += 1
    t.ok(known > 9_000, `${known} of the last 10,000 known`)
  },
)

t.test('two gates do not agree on places, so nobody can aim at another', async (t) => {
  // Of one alone, two gates in some hundreds would both have no collision.
  const sources = Array.from({ length: 8 }, (_, n) => `192.0.2.${n + 1}`)
  const collisions = (marks: SourceMarks) => {
    for (const source of sources) marks.see(source, 5, START)
    const over: string[] = []
    for (let n = 0; n < 400_000; n += 1) {
      marks.see(address(n), 9, START)
      if (n % 1_000 !== 0) continue
      for (const source of sources) if (!marks.see(source, 5, START)) over.push(`${source} ${n}`)
    }
    return over.join()
  }
  t.not(collisions(new SourceMarks(START)), collisions(new SourceMarks(START)))
})
