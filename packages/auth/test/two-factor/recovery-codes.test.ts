import t from 'tap'
import { newRecoveryCodes, recoveryCodeDigest } from '../../dist/strategies/two-factor/recovery-codes.js'

t.test('ten codes of 16 characters that are not mistaken for others', async (t) => {
  const codes = newRecoveryCodes()
  t.equal(codes.length, 10)
  t.equal(new Set(codes).size, 10)
  for (const code of codes) t.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  const characters = new Set(Array.from({ length: 200 }, () => newRecoveryCodes().join('')).join(''))
  characters.delete('-')
  t.equal(characters.size, 32, 'all that there are')
})

t.test('however a code is typed it is the same', async (t) => {
  const digest = recoveryCodeDigest('7', '01AB-CDEF-GHJK-MNPQ')
  t.match(digest, /^[\w-]{43}$/)
  for (const typed of ['01ab-cdef-ghjk-mnpq', '01ABCDEFGHJKMNPQ', ' 01ab cdef ghjk mnpq\n', 'oIab-cdef-ghjk-mnpq']) {
    t.equal(recoveryCodeDigest('7', typed), digest, typed)
  }
  t.not(recoveryCodeDigest('8', '01AB-CDEF-GHJK-MNPQ'), digest, 'of another user it is another')
  t.not(recoveryCodeDigest('7', '11AB-CDEF-GHJK-MNPQ'), digest)
})

t.test('what is none', async (t) => {
  for (const typed of ['', '0', '01AB-CDEF-GHJK-MNP', '01AB-CDEF-GHJK-MNPQR', '01AB-CDEF-GHJK-MNPU', '💥'.repeat(16)]) {
    t.equal(recoveryCodeDigest('7', typed), undefined, typed)
  }
})
