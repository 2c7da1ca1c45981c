import t from 'tap'
import { isEmail, normaliseEmail } from '../dist/email.js'

t.test('spellings of one address are one', async (t) => {
  const spellings = ['Ada@Example.org', 'ADA@EXAMPLE.ORG', 'ada@example.org', 'ａｄａ@example.org', 'Ada@ｅxample.org']
  for (const spelling of spellings) t.equal(normaliseEmail(spelling), 'ada@example.org', spelling)
  t.equal(normaliseEmail('JÖRG@example.org'), normaliseEmail('jo\u0308rg@example.org'), 'composed and decomposed')
  t.equal(normaliseEmail(normaliseEmail('İ@Example.org')), normaliseEmail('İ@Example.org'), 'normalising is idempotent')
})

t.test('different addresses stay different', async (t) => {
  t.not(normaliseEmail('mıke@example.org'), normaliseEmail('mike@example.org'), 'dotless i')
  t.not(normaliseEmail('a.b@example.org'), normaliseEmail('ab@example.org'), 'dots mean something')
})

t.test('what is no address is told', async (t) => {
  for (const good of ['admin@localhost', 'a+b@example.org', 'ü@münchen.example']) t.ok(isEmail(good), good)
  const bad = [
    '',
    '@',
    'a',
    'a@',
    '@b',
    'a@b@c',
    'a b@c',
    'a@b\u0000',
    'a\n@b',
    'a＠b@c',
    'a@b＠c',
    `${'a'.repeat(250)}@b.cd`,
  ]
  for (const one of bad) t.notOk(isEmail(one), JSON.stringify(one))
})
