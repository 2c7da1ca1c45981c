import fc from 'fast-check'
import t from 'tap'
import { parseCookies, serializeCookie } from '../../dist/index.js'

t.test('reads cookies', async (t) => {
  t.same(
    { ...parseCookies('a=1; b="2"; a=3; c=%41; d=%zz; e; =f; g=h=i') },
    { a: '1', b: '2', c: 'A', d: '%zz', '': 'f', g: 'h=i' },
  )
  t.same({ ...parseCookies(undefined) }, {})
  t.same({ ...parseCookies(`a=${'x'.repeat(20_000)}`) }, {}, 'not beyond all bounds')
  t.equal(parseCookies('__proto__=x')['toString'], undefined, 'there is nothing but what was sent')
})

t.test('writes what it reads', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (value) => {
      const line = serializeCookie('session', value, { secure: true })
      return /^[\x20-\x7e]*$/.test(line) && parseCookies(line.split(';')[0])['session'] === value
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (header) => typeof parseCookies(header) === 'object'))
})

t.test('is careful by default', async (t) => {
  t.equal(
    serializeCookie('a', 'b', { secure: true, maxAge: 60 }),
    'a=b; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax',
  )
  t.equal(
    serializeCookie('a', '', { secure: false, maxAge: 0, path: '/x', sameSite: 'strict', httpOnly: false }),
    'a=; Path=/x; Max-Age=0; SameSite=Strict',
  )
  t.throws(() => serializeCookie('a b', 'c', { secure: true }), TypeError)
  t.throws(() => serializeCookie('a', 'c', { secure: true, path: '/; Domain=evil' }), TypeError)
})
