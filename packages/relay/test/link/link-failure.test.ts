import t from 'tap'
import { describeLinkError } from '../../dist/link/link-failure.js'

t.test('why there is no link, in words', (t) => {
  const cases: [string, RegExp][] = [
    ['certificate_mismatch', /^certificate_mismatch: .*not the one/],
    ['certificate_untrusted', /trusts/],
    ['certificate_expired', /check this machine's clock, it says 1970-01-01 00:00 UTC/],
    ['certificate_not_yet_valid', /clock/],
    ['tls_failed', /TLS/],
    ['ECONNREFUSED', /^ECONNREFUSED: nothing listens there/],
    ['ENOTFOUND', /DNS/],
    ['timeout', /^timeout$/],
    ['ticket_expired', /^ticket_expired$/],
    ['constructor', /^constructor$/],
  ]
  for (const [error, words] of cases) t.match(describeLinkError(error, 0), words)
  t.end()
})
