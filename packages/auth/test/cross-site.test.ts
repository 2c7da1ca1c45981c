import t from 'tap'
import { isCrossSite } from '../dist/cross-site.js'

const publicUrl = 'https://panel.example:8443'

const table: readonly [boolean, string, Record<string, string | string[]>][] = [
  [false, 'POST', {}],
  [false, 'POST', { origin: publicUrl }],
  [false, 'POST', { origin: publicUrl, 'sec-fetch-site': 'same-origin' }],
  [false, 'POST', { 'sec-fetch-site': 'none' }],
  [false, 'GET', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  [false, 'HEAD', { 'sec-fetch-site': 'cross-site' }],
  [true, 'POST', { 'sec-fetch-site': 'cross-site' }],
  [true, 'POST', { origin: publicUrl, 'sec-fetch-site': 'cross-site' }],
  [true, 'DELETE', { origin: 'https://evil.example' }],
  [true, 'PATCH', { origin: 'null' }],
  [true, 'PUT', { origin: '' }],
  [true, 'POST', { origin: 'http://panel.example:8443' }],
  [true, 'POST', { origin: 'https://panel.example' }],
  [true, 'POST', { origin: 'https://panel.example:8443.evil.example' }],
  [true, 'POST', { origin: 'https://sub.panel.example:8443', 'sec-fetch-site': 'same-site' }],
  [true, 'POST', { origin: 'https://evil.example', host: 'evil.example', 'x-forwarded-host': 'evil.example' }],
  [true, 'POST', { origin: [publicUrl, 'https://evil.example'] }],
  [true, 'UNHEARD-OF', { origin: 'https://evil.example' }],
  [true, 'GET', { upgrade: 'websocket', origin: 'https://evil.example' }],
  [false, 'GET', { upgrade: 'websocket', origin: publicUrl }],
  [false, 'GET', { upgrade: 'websocket' }],
]

for (const [expected, method, headers] of table) {
  t.test(`${method} ${JSON.stringify(headers)}`, async (t) => {
    t.equal(isCrossSite({ method, headers }, [publicUrl]), expected)
  })
}
