import { generateSync } from 'otplib'
import t from 'tap'
import { matchTotp, newTotpSecret, toOtpauthUrl } from '../../dist/strategies/two-factor/totp.js'

/** `12345678901234567890` in base32: RFC 6238 appendix B, whose codes of eight digits end in these six. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

t.test('the codes of RFC 6238', async (t) => {
  const codes: Record<number, string> = {
    59: '287082',
    1111111109: '081804',
    1111111111: '050471',
    1234567890: '005924',
    2000000000: '279037',
    20000000000: '353130',
  }
  for (const [seconds, code] of Object.entries(codes)) {
    t.equal(matchTotp(secret, code, Number(seconds) * 1000), Math.floor(Number(seconds) / 30), seconds)
  }
})

t.test('counts one step either side and no more', async (t) => {
  const step = 1_000
  const own = generateSync({ secret, epoch: step * 30 })
  const at = (seconds: number): number | undefined => matchTotp(secret, own, seconds * 1000)
  t.equal(at(30 * step - 31), undefined)
  t.equal(at(30 * step - 30), step)
  t.equal(at(30 * step), step)
  t.equal(at(30 * step + 59), step)
  t.equal(at(30 * step + 60), undefined)
  t.equal(at(0), undefined)
})

t.test('secrets have 160 bits and are never the same', async (t) => {
  const secrets = Array.from({ length: 100 }, newTotpSecret)
  t.ok(secrets.every((one) => /^[A-Z2-7]{32}$/.test(one)))
  t.equal(new Set(secrets).size, 100)
})

t.test('the URL for an app', async (t) => {
  const url = new URL(toOtpauthUrl(secret, 'My panel', 'ada+games@example.com'))
  t.equal(url.protocol, 'otpauth:')
  t.equal(url.host, 'totp')
  t.equal(decodeURIComponent(url.pathname), '/My panel:ada+games@example.com')
  t.equal(url.searchParams.get('secret'), secret)
  t.equal(url.searchParams.get('issuer'), 'My panel')
})
