import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { verifyWebhook } from '../dist/index.js'
import { signWebhook } from '../dist/webhooks/webhook-signature.js'

const secret = 'a secret that is long enough'
const now = Date.now() / 1_000
const body = '{"type":"device.approved"}'

t.test('as Standard Webhooks 1.0 has it', async (t) => {
  const encoded = `whsec_${Buffer.from('sixteen bytes or more').toString('base64')}`
  // By hand, from the specification.
  const expected = createHmac('sha256', 'sixteen bytes or more').update(`msg_1.1700000000.${body}`).digest('base64')
  t.equal(signWebhook(encoded, 'msg_1', 1_700_000_000, body)['webhook-signature'], `v1,${expected}`)
  for (const one of [secret, encoded]) {
    const headers = signWebhook(one, 'msg_1', now, body)
    t.ok(verifyWebhook({ ...headers }, body, one))
    t.ok(verifyWebhook({ ...headers }, Buffer.from(body), one))
    const rotated = `v1,${'A'.repeat(44)} v2,zzz ${headers['webhook-signature']}`
    t.ok(verifyWebhook({ ...headers, 'webhook-signature': rotated }, body, one), 'while secrets change')
  }
})

t.test('what is not genuine is refused', async (t) => {
  const headers = signWebhook(secret, 'id', now, body)
  const refused = (changed: object, text = body, key = secret) =>
    t.notOk(verifyWebhook({ ...headers, ...changed }, text, key))
  refused({}, `${body} `)
  refused({}, body, `${secret}!`)
  refused({ 'webhook-id': 'other' })
  refused({ 'webhook-id': undefined })
  refused({ 'webhook-id': ['id'] })
  refused({ 'webhook-timestamp': String(Math.floor(now) + 1) })
  refused({ 'webhook-timestamp': 'NaN' })
  refused({ 'webhook-signature': headers['webhook-signature'].replace('v1', 'v2') })
  refused({ 'webhook-signature': headers['webhook-signature'].slice(0, -4) })
  refused({ 'webhook-signature': `${' '.repeat(5_000)}${headers['webhook-signature']}` })
  for (const at of [now - 301, now + 400])
    t.notOk(verifyWebhook({ ...signWebhook(secret, 'id', at, body) }, body, secret))
  t.ok(verifyWebhook({ ...signWebhook(secret, 'id', now - 301, body) }, body, secret, 400))
  t.notOk(verifyWebhook({ ...headers }, body, secret, Number.NaN))
})

t.test('no header makes it throw', async () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (id, timestamp, signature, text) => {
      const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
      return !verifyWebhook(headers, text, secret)
    }),
    { numRuns: 500 },
  )
})
