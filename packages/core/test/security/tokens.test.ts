import { createHmac, createSecretKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import jsonwebtoken from 'jsonwebtoken'
import t from 'tap'
import { createTokenIssuer } from '../../dist/security/jwt.js'
import { createKeyring } from '../../dist/security/key-derivation.js'

const keyring = createKeyring(['the first secret key, long enough'])
const issuer = createTokenIssuer({ keyring, purpose: 'session', issuer: 'sallyport' })
const [{ id: kid, key }] = keyring.derive('token session')

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with any header and payload, signed as a true one is. */
function signed(header: object, payload: object): string {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

const now = Math.floor(Date.now() / 1000)
const header = { alg: 'HS256', typ: 'JWT', kid }
const payload = { iss: 'sallyport', aud: 'session', sub: 'user-1', jti: 'token-1', iat: now, exp: now + 60 }

t.test('issues what it verifies', async (t) => {
  const token = issuer.issue({ subject: 'user-1', id: 'token-1', expiresInSeconds: 60 })
  const result = issuer.verify(token)
  t.match(result, { kind: 'valid', claims: { subject: 'user-1', id: 'token-1' } })
  if (result.kind !== 'valid') return
  t.ok(Math.abs(result.claims.issuedAt.getTime() - Date.now()) < 5_000)
  t.equal(result.claims.expiresAt?.getTime(), result.claims.issuedAt.getTime() + 60_000)
  const endless = issuer.verify(issuer.issue({ subject: 'user-1', id: 'token-2' }))
  t.match(endless, { kind: 'valid' })
  t.notOk(endless.kind === 'valid' && 'expiresAt' in endless.claims)
  t.equal(issuer.verify(signed(header, payload)).kind, 'valid', 'the test’s own tokens are true ones')
})

t.test('takes an old secret’s tokens while the secret is there', async (t) => {
  const old = issuer.issue({ subject: 'user-1', id: 'token-1' })
  const newer = 'the second secret key, long enough'
  const both = createKeyring([newer, 'the first secret key, long enough'])
  const rotated = createTokenIssuer({ keyring: both, purpose: 'session', issuer: 'sallyport' })
  t.equal(rotated.verify(old).kind, 'valid')
  t.equal(issuer.verify(rotated.issue({ subject: 'user-1', id: 'token-2' })).kind, 'invalid')
  const alone = createTokenIssuer({ keyring: createKeyring([newer]), purpose: 'session', issuer: 'sallyport' })
  t.equal(alone.verify(old).kind, 'invalid')
})

t.test('leaves a token of another purpose to others', async (t) => {
  const device = createTokenIssuer({ keyring, purpose: 'device', issuer: 'sallyport' })
  t.equal(issuer.verify(device.issue({ subject: 'user-1', id: 'token-1' })).kind, 'foreign')
  t.equal(device.verify(issuer.issue({ subject: 'user-1', id: 'token-1' })).kind, 'foreign')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const others = jsonwebtoken.sign({ sub: 'x' }, privateKey, { algorithm: 'ES256', audience: 'another panel' })
  for (const token of ['', 'x', 'a.b.c', '..', others, 'x'.repeat(100_000)]) {
    t.equal(issuer.verify(token).kind, 'foreign', token.slice(0, 20))
  }
})

t.test('refuses a header that is no object', async (t) => {
  for (const odd of [5, 'text', true, [], {}]) {
    t.equal(issuer.verify(`${part(odd)}.${part(payload)}.AAAA`).kind, 'invalid', JSON.stringify(odd))
  }
})

t.test('refuses what claims its purpose and is not true', async (t) => {
  const otherKey = createSecretKey(Buffer.alloc(32, 1))
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const claims = { sub: 'user-1', jti: 'token-1' }
  const common = { audience: 'session', issuer: 'sallyport', keyid: kid }
  const { exp: _exp, ...withoutExpiry } = payload
  const forgeries: Record<string, string> = {
    'signed with another key': jsonwebtoken.sign(claims, otherKey, { ...common, algorithm: 'HS256' }),
    'with no algorithm': `${part({ ...header, alg: 'none' })}.${part(payload)}.`,
    'with another algorithm of the same key': jsonwebtoken.sign(claims, key, {
      ...common,
      algorithm: 'HS512',
      allowInsecureKeySizes: true,
    }),
    'with an asymmetric algorithm': jsonwebtoken.sign(claims, privateKey, { ...common, algorithm: 'RS256' }),
    'of another issuer': signed(header, { ...payload, iss: 'another panel' }),
    'without an issuer': signed(header, { ...payload, iss: undefined }),
    'without kid': signed({ ...header, kid: undefined }, payload),
    'with an unknown kid': signed({ ...header, kid: 'unknown' }, payload),
    'with a kid that is no string': signed({ ...header, kid: [kid] }, payload),
    'with crit': signed({ ...header, crit: ['exp'] }, payload),
    'with an empty crit': signed({ ...header, crit: [] }, payload),
    'without sub': signed(header, { ...payload, sub: undefined }),
    'with a sub that is no string': signed(header, { ...payload, sub: { id: 1 } }),
    'without jti': signed(header, { ...payload, jti: undefined }),
    'without iat': signed(header, { ...payload, iat: undefined }),
    'with an exp that is no number': signed(header, { ...payload, exp: '99999999999' }),
    'not yet valid': signed(header, { ...payload, nbf: now + 1000 }),
    'cut short': signed(header, payload).slice(0, -4),
    'without its signature': `${part(header)}.${part(payload)}.`,
  }
  for (const [name, token] of Object.entries(forgeries)) t.equal(issuer.verify(token).kind, 'invalid', name)
  t.equal(issuer.verify(signed(header, withoutExpiry)).kind, 'valid')
})

t.test('says expired of a true token only', async (t) => {
  const past = { ...payload, iat: now - 100, exp: now - 10 }
  t.equal(issuer.verify(signed(header, past)).kind, 'expired')
  const forged = `${signed(header, past).slice(0, -6)}AAAAAA`
  t.equal(issuer.verify(forged).kind, 'invalid')
})

t.test('neither throws at nonsense nor takes it', async () => {
  const token = fc.oneof(
    fc.string(),
    fc.tuple(fc.json(), fc.json(), fc.string()).map(([a, b, c]) => `${btoa(encodeURI(a))}.${btoa(encodeURI(b))}.${c}`),
    fc.tuple(fc.jsonValue(), fc.jsonValue()).map(([a, b]) => `${part(a)}.${part(b)}.x`),
    fc
      .jsonValue()
      .map((extra) => signed({ ...header, ...(extra as object), kid, alg: 'HS256', zip: 1 }, extra as object)),
    fc.constant(`${part(header)}.${Buffer.from('{').toString('base64url')}.x`),
  )
  fc.assert(
    fc.property(token, (text) => issuer.verify(text).kind !== 'valid'),
    { numRuns: 500 },
  )
})

t.test('a changed character makes it untrue', async () => {
  const token = issuer.issue({ subject: 'user-1', id: 'token-1' })
  fc.assert(
    fc.property(fc.nat(token.length - 2), fc.constantFrom('A', 'b', '9', '-'), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1)
      return changed === token || issuer.verify(changed).kind !== 'valid'
    }),
    { numRuns: 300 },
  )
})

t.test('a token of 100 kB costs next to nothing', async (t) => {
  const large = signed(header, { ...payload, pad: 'x'.repeat(100_000) })
  // Of the processor's time: others may have it meanwhile.
  const begin = process.cpuUsage()
  for (let count = 0; count < 10_000; count += 1) issuer.verify(large)
  const { user, system } = process.cpuUsage(begin)
  const each = (user + system) / 1_000 / 10_000
  t.ok(each < 0.05, `${each} ms each`)
})
