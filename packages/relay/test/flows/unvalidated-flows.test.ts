import t from 'tap'
import { groupOf, UnvalidatedFlows } from '../../dist/flows/unvalidated-flows.js'

const MOST = 512
const SECOND = 1_000

function filled(count: number, group: (n: number) => string): UnvalidatedFlows<number> {
  const flows = new UnvalidatedFlows<number>()
  for (let n = 0; n < count; n += 1) flows.add(n, group(n), 0, 'first')
  return flows
}

const apart = (n: number) => `group ${n}`

t.test('there is room for so many, then the oldest goes', async (t) => {
  const flows = filled(MOST - 1, apart)
  t.equal(flows.displaced('new', 0, false), undefined)
  flows.add(MOST - 1, 'new', 0, 'first')
  t.equal(flows.displaced('other', SECOND, false), 0)
  flows.delete(0)
  t.equal(flows.displaced('other', SECOND, false), undefined)
})

t.test('nobody goes before having had a second', async (t) => {
  const flows = filled(MOST, apart)
  t.equal(flows.displaced('new', SECOND - 1, false), 'nobody')
  t.equal(flows.displaced('new', SECOND, false), 0)
})

t.test('who sends goes after who is quiet', async (t) => {
  const flows = filled(MOST, apart)
  flows.touch(0)
  t.equal(flows.displaced('new', SECOND, false), 1)
})

t.test('who has come twice goes after who was believed at first sight', async (t) => {
  const flows = new UnvalidatedFlows<number>()
  for (let n = 0; n < MOST; n += 1) flows.add(n, apart(n), 0, n < 5 ? 'again' : 'first')
  t.equal(flows.displaced('new', SECOND, false), 5)
  const twice = new UnvalidatedFlows<number>()
  for (let n = 0; n < MOST; n += 1) twice.add(n, apart(n), 0, 'again')
  t.equal(twice.displaced('new', SECOND, false), 0, 'but they go too')
})

t.test('who has just come is not in the way of who may go', async (t) => {
  const flows = filled(MOST - 1, apart)
  flows.add(MOST, 'young', SECOND, 'first')
  for (let n = 0; n < MOST - 1; n += 1) flows.touch(n)
  t.equal(flows.displaced('new', SECOND, false), 0)
})

t.test('when there are many, one group has its share and its own oldest goes', async (t) => {
  const crowd = filled(200, () => 'crowd')
  t.equal(crowd.displaced('crowd', SECOND, false), undefined, 'while there is room for all')
  for (let n = 200; n < 256; n += 1) crowd.add(n, apart(n), 0, 'first')
  t.equal(crowd.displaced('crowd', SECOND, false), 0)
  t.equal(crowd.displaced('other', SECOND, false), undefined)
})

t.test('a full port makes room by these alone', async (t) => {
  const flows = filled(1, apart)
  t.equal(flows.displaced('new', SECOND, true), 0)
  flows.delete(0)
  t.equal(flows.displaced('new', SECOND, true), 'nobody')
  t.equal(flows.size, 0)
})

t.test('groups', async (t) => {
  t.equal(groupOf('192.0.2.17'), '192.0.2')
  t.equal(groupOf('::ffff:192.0.2.17'), '192.0.2')
  t.equal(groupOf('2001:db8:1:2:3::4'), groupOf('2001:db8:1:2::9'))
  t.not(groupOf('2001:db8:1:2::1'), groupOf('2001:db8:1:3::1'))
})
