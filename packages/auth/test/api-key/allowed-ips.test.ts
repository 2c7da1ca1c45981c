import { http, redis } from '@sallyport/core'
import { missingRedis, skipWithout, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { startKeyPanel } from './support.js'

t.test('a key is used from where it may be', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, newKey, statusOf } = panel
  const { id, key } = await newKey(admin, { allowedIps: ['192.0.2.0/24', '2001:db8::/64', '::ffff:198.51.100.7'] })

  t.test('with each request, the key being known or not', async (t) => {
    for (const [ip, expected] of [
      ['192.0.2.1', 200],
      ['192.0.3.1', 403],
      ['192.0.2.255', 200],
      ['::ffff:192.0.2.9', 200],
      ['2001:db8::9', 200],
      ['2001:db8:0:1::9', 403],
      ['198.51.100.7', 200],
      ['203.0.113.9', 403],
      ['192.0.2.77', 200],
    ] as const) {
      t.equal(await statusOf(key, ip), expected, ip)
    }
    t.equal(await statusOf(key), 403, 'the proxy itself')
    t.equal(await statusOf(key, 'nonsense'), 403)
    const { body } = await call('GET', '/api/auth/session', { headers: { 'x-api-key': key } })
    t.equal(body.error, 'address_not_allowed')
  })

  t.test('others are recorded, once a minute for each key and address', async (t) => {
    const refusals = (ip: string) =>
      panel.audited.filter((record) => record.action === 'apikey.refused' && record.ip === ip)
    for (let n = 0; n < 5; n += 1) await statusOf(key, '203.0.113.50')
    t.match(refusals('203.0.113.50'), [{ target: { id }, data: { reason: 'address_not_allowed' } }])
    t.equal(refusals('203.0.113.50').length, 1)
    await statusOf(key, '203.0.113.51')
    t.equal(refusals('203.0.113.51').length, 1)
  })
})

t.test('without the counter the refusal stands', { skip: skipWithout('Redis', missingRedis()) }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server[Symbol.asyncDispose]())
  const panel = await startKeyPanel(t, {
    plugins: [http({ trustedProxies: ['127.0.0.1'] }), redis({ url: server.url })],
  })
  const { key } = await panel.newKey(panel.admin, { allowedIps: ['192.0.2.1'] })
  await server.stop()
  t.equal(await panel.statusOf(key, '203.0.113.1'), 403)
  t.equal(await panel.statusOf(key, '192.0.2.1'), 200)
})
