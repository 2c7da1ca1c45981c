import fc from 'fast-check'
import t from 'tap'
import { SharedPermits } from '../dist/permits.js'

function takeAll(permits: SharedPermits, who: string): (() => void)[] {
  const taken: (() => void)[] = []
  for (let release = permits.take(who); release !== undefined; release = permits.take(who)) taken.push(release)
  return taken
}

t.test('one alone may have all; one of several leaves their parts to the others', async (t) => {
  const permits = new SharedPermits(16)
  permits.join('a')
  const alone = takeAll(permits, 'a')
  t.equal(alone.length, 16)
  permits.join('b')
  t.equal(permits.take('b'), undefined, 'nobody is sent away for it')
  alone[0]?.()
  alone[0]?.()
  t.equal(permits.take('a'), undefined, 'but what is free is kept for it')
  t.ok(permits.take('b'))
  for (const release of alone) release()
  t.equal(takeAll(permits, 'a').length, 12 + 0, 'all but the four of b, of which it has one')
  t.equal(takeAll(permits, 'b').length, 3)
})

t.test('who has left is kept nothing for, and counts with what it still has', async (t) => {
  const permits = new SharedPermits(8)
  permits.join('a')
  permits.join('b')
  const left = takeAll(permits, 'b')
  t.equal(left.length, 6)
  permits.leave('b')
  t.equal(takeAll(permits, 'a').length, 2)
  for (const release of left) release()
  t.equal(takeAll(permits, 'a').length, 6)
})

t.test('of more than can have a part, one leaves half to the others', async (t) => {
  const permits = new SharedPermits(8)
  const others = ['b', 'c', 'd', 'e', 'f', 'g']
  for (const who of ['a', ...others]) permits.join(who)
  t.equal(takeAll(permits, 'a').length, 4)
  t.same(
    others.map((who) => permits.take(who) !== undefined),
    [true, true, true, true, false, false],
  )
})

t.test('never more than there are, and always a part for each, whatever the others do', async (t) => {
  const step = fc.record({ who: fc.constantFrom('a', 'b', 'c'), back: fc.nat(3) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 200 }), (max, steps) => {
      const permits = new SharedPermits(max)
      const held = new Map(['a', 'b', 'c'].map((who) => [who, [] as (() => void)[]]))
      for (const who of held.keys()) permits.join(who)
      const count = () => [...held.values()].reduce((sum, { length }) => sum + length, 0)
      for (const { who, back } of steps) {
        const own = held.get(who) ?? []
        if (back === 0) own.pop()?.()
        else {
          const release = permits.take(who)
          if (release !== undefined) own.push(release)
          else if (own.length < Math.floor(max / 6)) return false
        }
        if (count() > max) return false
      }
      return true
    }),
  )
  t.pass()
})
