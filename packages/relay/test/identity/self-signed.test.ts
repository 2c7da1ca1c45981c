import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import t from 'tap'
import { createSelfSigned } from '../../dist/identity/self-signed.js'

t.test('is a certificate of its own key, without an end', async (t) => {
  const { key, cert } = createSelfSigned()
  const certificate = new X509Certificate(cert)
  t.ok(certificate.verify(certificate.publicKey), 'signed by itself')
  t.ok(certificate.checkPrivateKey(createPrivateKey(key)))
  t.equal(certificate.subject, 'CN=sallyport relay')
  t.notOk(certificate.ca)
  t.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  t.equal(new Date(certificate.validTo).toISOString(), '9999-12-31T23:59:59.000Z')
  t.ok(new Date(certificate.validFrom).getTime() < Date.now())
  t.doesNotThrow(() => createSecureContext({ key, cert, minVersion: 'TLSv1.3' }))
})

t.test('no two are alike, and every one can be read', async (t) => {
  const seen = new Set<string>()
  for (let n = 0; n < 50; n += 1) {
    const certificate = new X509Certificate(createSelfSigned().cert)
    t.ok(certificate.verify(certificate.publicKey))
    // RFC 5280 section 4.1.2.2: positive, at most 20 bytes, and DER has no needless ones.
    t.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/)
    seen.add(certificate.serialNumber)
  }
  t.equal(seen.size, 50)
})

t.test('names and dates are as asked, on both sides of 2050', async (t) => {
  const dates = [
    ['1999-05-06T07:08:09Z', '2049-12-31T23:59:59Z'],
    ['2050-01-01T00:00:00Z', '2123-04-05T06:07:08Z'],
  ] as const
  for (const [from, to] of dates)
    for (const commonName of ['a', 'relay.example.com', 'n'.repeat(64)]) {
      const certificate = new X509Certificate(
        createSelfSigned({ commonName, notBefore: new Date(from), notAfter: new Date(to) }).cert,
      )
      t.equal(certificate.subject, `CN=${commonName}`)
      t.equal(Date.parse(certificate.validFrom), Date.parse(from))
      t.equal(Date.parse(certificate.validTo), Date.parse(to))
    }
})

t.test('openssl takes it', async (t) => {
  try {
    execFileSync('openssl', ['version'])
  } catch {
    t.pass('there is no openssl')
    return
  }
  const home = mkdtempSync(join(tmpdir(), 'self-signed-'))
  t.teardown(() => rmSync(home, { recursive: true }))
  const file = join(home, 'cert.pem')
  writeFileSync(file, createSelfSigned().cert)
  t.match(String(execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', file, file])), /: OK/)
  const text = String(execFileSync('openssl', ['x509', '-in', file, '-noout', '-text']))
  t.match(text, /Version: 3/)
  t.match(text, /Basic Constraints: critical\s+CA:FALSE/)
  t.match(text, /Key Usage: critical\s+Digital Signature/)
})
