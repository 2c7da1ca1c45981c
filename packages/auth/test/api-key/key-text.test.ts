import fc from 'fast-check'
import t from 'tap'
import { digestOfKey, generateKey, isWellFormedKey, prefixOfKey } from '../../dist/strategies/api-key/key-text.js'

const characters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

t.test('makes keys of one form', async (t) => {
  const keys = Array.from({ length: 500 }, (_, n) => generateKey(n % 2 === 0 ? 'client' : 'admin'))
  for (const [n, key] of keys.entries()) {
    if (!/^sp_[ca]_[0-9A-Za-z]{49}$/.test(key) || !isWellFormedKey(key)) t.fail(key)
    if (key[3] !== (n % 2 === 0 ? 'c' : 'a')) t.fail(key)
  }
  t.equal(new Set(keys).size, keys.length)
  const used = new Set(keys.flatMap((key) => [...key.slice(5)]))
  t.equal(used.size, characters.length, 'of all the characters')
})

t.test('shows of a key too little to use it', async (t) => {
  const key = generateKey('client')
  t.equal(prefixOfKey(key), key.slice(0, 11))
  t.match(digestOfKey(key), /^[\w-]{43}$/)
  t.equal(digestOfKey(key), digestOfKey(key))
  t.not(digestOfKey(key), digestOfKey(generateKey('client')))
})

t.test('tells a mistyped key', async (t) => {
  const key = generateKey('client')
  for (let at = 0; at < key.length; at += 1) {
    const other = characters[(characters.indexOf(key[at] ?? '') + 1) % characters.length]
    t.notOk(isWellFormedKey(key.slice(0, at) + other + key.slice(at + 1)), `character ${at}`)
  }
  t.notOk(isWellFormedKey(key.toLowerCase()))
  t.notOk(isWellFormedKey(key.toUpperCase()))
  for (const text of [
    '',
    key.slice(0, -1),
    `${key}0`,
    `${key}\n`,
    ` ${key}`,
    key.replace('c', 'a'),
    `sp_c_${'0'.repeat(49)}`,
    'x'.repeat(100_000),
    prefixOfKey(key),
    digestOfKey(key),
  ]) {
    t.notOk(isWellFormedKey(text), text.slice(0, 60))
  }
})

t.test('tells swapped neighbours', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 52 }), (at) => {
      const key = generateKey('admin')
      const [a = '', b = ''] = key.slice(at, at + 2)
      return a === b || !isWellFormedKey(key.slice(0, at) + b + a + key.slice(at + 2))
    }),
  )
})

t.test('takes any text', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => !isWellFormedKey(text)))
  const alike = fc.stringMatching(/^sp_[ca]_[0-9A-Za-z]{49}$/)
  fc.assert(fc.property(alike, (text) => typeof isWellFormedKey(text) === 'boolean'))
})
