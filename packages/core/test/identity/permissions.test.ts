import fc from 'fast-check'
import t from 'tap'
import { intersectPermissions, isPermission, permits, permitsAll } from '../../dist/index.js'

const word = fc.stringMatching(/^[a-z0-9_-]{1,8}$/)
const part = fc.oneof({ weight: 3, arbitrary: word }, fc.constant('*'))
const wanted = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'))
const grant = fc.oneof(
  fc.tuple(word, fc.array(part, { maxLength: 3 })).map(([first, rest]) => [first, ...rest].join(':')),
  fc.constant('*'),
)

t.test('knows a permission from other text', async (t) => {
  for (const text of ['*', 'servers', 'servers:read', 'servers:*', 'a:*:read', 'a-b:c_d', 'A:B'])
    t.ok(isPermission(text), text)
  for (const text of [
    '',
    ':',
    'a:',
    ':a',
    'a::b',
    '*:read',
    '**',
    'a b',
    'a:b*',
    'a:\0',
    'a:b\n',
    'é',
    'a'.repeat(201),
  ]) {
    t.notOk(isPermission(text), JSON.stringify(text).slice(0, 40))
  }
})

t.test('covers what it names and no more', async (t) => {
  for (const [has, wants, expected] of [
    ['*', 'servers:write', true],
    ['*', '*', true],
    ['servers:*', 'servers:write', true],
    ['servers:*', 'servers:*', true],
    ['servers:*', 'servers', false],
    ['servers:*', 'servers:a:b', false],
    ['servers', 'servers:write', false],
    ['servers:write', 'servers:*', false],
    ['servers:*', '*', false],
    ['a:*:read', 'a:b:read', true],
    ['a:*:read', 'a:b:write', false],
    ['a:*', 'a:b:write', false],
    ['servers:read', 'Servers:read', false],
    ['', '', false],
    ['servers:*', 'servers:', false],
  ] as const) {
    t.equal(permits([has], wants), expected, `${has} and ${wants}`)
  }
  t.notOk(permits([], 'a'))
  t.ok(permitsAll(['a:*', 'b'], ['a:x', 'b', 'a:*']))
  t.notOk(permitsAll(['a:x'], ['a:*']))
  t.ok(permitsAll([], []))
})

t.test('keeps its rules for whatever is granted', async () => {
  fc.assert(
    fc.property(grant, wanted, (has, wants) => {
      if (!permits([has], wants)) return true
      return has === '*' || has.split(':').length === wants.split(':').length
    }),
  )
  fc.assert(fc.property(wanted, (wants) => permits(['*'], wants) && permits([wants], wants)))
  fc.assert(fc.property(grant, (has) => permits([has], has)))
  // What may be passed on never gives more than its giver has.
  fc.assert(
    fc.property(grant, grant, wanted, (giver, given, wants) => {
      if (!permits([giver], given) || !permits([given], wants)) return true
      return permits([giver], wants)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (grants, wants) => typeof permits(grants, wants) === 'boolean'),
  )
  fc.assert(fc.property(fc.string(), (text) => typeof isPermission(text) === 'boolean'))
})

t.test('gives what two lists have in common', async (t) => {
  for (const [a, b, expected] of [
    [['servers:read', 'nodes:read'], ['servers:read'], ['servers:read']],
    [['servers:read'], ['servers:*'], ['servers:read']],
    [['servers:*'], ['servers:read', 'servers:write'], ['servers:read', 'servers:write']],
    [['*'], ['servers:*', 'nodes'], ['servers:*', 'nodes']],
    [['a', 'b:*'], ['*'], ['a', 'b:*']],
    [['*'], ['*'], ['*']],
    [['a:*:read'], ['a:b:*'], ['a:b:read']],
    [['servers'], ['servers:*'], []],
    [['servers:*'], ['servers:a:b'], []],
    [['a:b'], ['a:c'], []],
    [['servers:read'], [], []],
    [[], ['*'], []],
    [['', 'a:', '**'], ['*', '', 'a:', '**'], []],
    [['a:*', 'a:b'], ['a:b'], ['a:b']],
  ] as const) {
    t.same(intersectPermissions(a, b), expected, `${a.join()} and ${b.join()}`)
    t.same([...intersectPermissions(b, a)].sort(), [...expected].sort(), `${b.join()} and ${a.join()}`)
  }
})

t.test('what two lists have in common is what both permit, neither more nor less', async () => {
  // Few words, so that they meet.
  const few = fc.constantFrom('a', 'b', 'c')
  const parts = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 2 })
  const meeting = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(few, parts).map(([head, rest]) => [head, ...rest].join(':')) },
    { weight: 1, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: fc.string() },
  )
  const grants = fc.array(meeting, { maxLength: 4 })
  const asked = fc.array(few, { minLength: 1, maxLength: 3 }).map((words) => words.join(':'))
  fc.assert(
    fc.property(grants, grants, asked, (a, b, wants) => {
      return permits(intersectPermissions(a, b), wants) === (permits(a, wants) && permits(b, wants))
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(grants, grants, (a, b) => {
      const both = intersectPermissions(a, b)
      return permitsAll(a, both) && permitsAll(b, both) && new Set(both).size === both.length
    }),
  )
  fc.assert(fc.property(grants, (a) => permitsAll(intersectPermissions(a, a), a.filter(isPermission))))
  fc.assert(fc.property(grants, (a) => permitsAll(intersectPermissions(a, ['*']), a.filter(isPermission))))
  fc.assert(fc.property(grants, (a) => intersectPermissions(a, []).length === 0))
})
