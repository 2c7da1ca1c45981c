import fc from 'fast-check'
import t from 'tap'
import { createSealer } from '../../dist/index.js'
import { createKeyring } from '../../dist/security/key-derivation.js'

const first = 'the first secret key, long enough'
const second = 'the second secret key, long enough'
const sealer = createSealer(createKeyring([first]), 'test')
const secret = Buffer.from('JBSWY3DPEHPK3PXP')

t.test('opens what it has sealed', async (t) => {
  const sealed = sealer.seal(secret, 'user 1')
  t.match(sealed, /^v1\.[\w-]{12}\.[\w-]+$/)
  t.notMatch(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1'), secret.toString('latin1'))
  t.same(sealer.open(sealed, 'user 1'), { plaintext: secret, outdated: false })
  t.not(sealer.seal(secret, 'user 1'), sealed, 'the same is not sealed alike twice')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plaintext, context) => {
      const opened = sealer.open(sealer.seal(plaintext, context), context)
      return opened?.plaintext.equals(plaintext) === true
    }),
  )
})

t.test('opens it for nothing else', async (t) => {
  const sealed = sealer.seal(secret, 'user 1')
  for (const context of ['user 2', '', 'user 1 ', 'User 1']) t.equal(sealer.open(sealed, context), undefined, context)
  t.equal(createSealer(createKeyring([first]), 'another').open(sealed, 'user 1'), undefined, 'another purpose')
  t.equal(createSealer(createKeyring([second]), 'test').open(sealed, 'user 1'), undefined, 'another key')
  const [version, , text] = sealed.split('.')
  const [, otherId] = createSealer(createKeyring([second]), 'test')
    .seal(secret, 'user 1')
    .split('.')
  const both = createSealer(createKeyring([first, second]), 'test')
  t.equal(both.open(`${version}.${otherId}.${text}`, 'user 1'), undefined, 'under the name of another key')
})

t.test('opens nothing that is damaged', async (t) => {
  const sealed = sealer.seal(secret, 'c')
  const [version = '', id = '', text = ''] = sealed.split('.')
  const bytes = Buffer.from(text, 'base64url')
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    t.equal(sealer.open(`${version}.${id}.${damaged.toString('base64url')}`, 'c'), undefined, `byte ${at}`)
  }
  for (let length = 0; length < bytes.length; length += 1) {
    const cut = bytes.subarray(0, length).toString('base64url')
    t.equal(sealer.open(`${version}.${id}.${cut}`, 'c'), undefined, `cut to ${length}`)
  }
  for (const other of [
    '',
    '.',
    '..',
    'v1',
    `v2.${id}.${text}`,
    `${sealed}.`,
    `${version}.${id}`,
    `${version}..${text}`,
  ]) {
    t.equal(sealer.open(other, 'c'), undefined, other.slice(0, 20))
  }
  fc.assert(fc.property(fc.string(), (junk) => sealer.open(junk, 'c') === undefined))
  fc.assert(fc.property(fc.string(), (junk) => sealer.open(`${version}.${id}.${junk}`, 'c') === undefined))
})

t.test('seals by the newest key, and says of the others that they are to be replaced', async (t) => {
  const old = sealer.seal(secret, 'c')
  const rotated = createSealer(createKeyring([second, first]), 'test')
  t.same(rotated.open(old, 'c'), { plaintext: secret, outdated: true })
  const renewed = rotated.seal(secret, 'c')
  t.same(rotated.open(renewed, 'c'), { plaintext: secret, outdated: false })
  const afterwards = createSealer(createKeyring([second]), 'test')
  t.same(afterwards.open(renewed, 'c'), { plaintext: secret, outdated: false })
  t.equal(afterwards.open(old, 'c'), undefined, 'the old key is gone')
})
