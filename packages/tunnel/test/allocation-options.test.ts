import { createAddressList } from '@sallyport/core'
import fc from 'fast-check'
import t from 'tap'
import { normaliseRange } from '../dist/allocations/address-range.js'
import { startPanel } from './support/panel.js'

t.test('one spelling for an address', async (t) => {
  const spellings = {
    '192.0.2.1': '192.0.2.1',
    '192.0.2.1/32': '192.0.2.1',
    '192.0.2.77/24': '192.0.2.0/24',
    '0.0.0.0/0': '0.0.0.0/0',
    '2001:DB8::0001': '2001:db8::1',
    '2001:db8:0:0:0:0:0:0/32': '2001:db8::/32',
    '2001:db8:ffff::/36': '2001:db8:f000::/36',
    '::/0': '::/0',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:192.0.2.9/120': '192.0.2.0/24',
  }
  for (const [given, wanted] of Object.entries(spellings)) t.equal(normaliseRange(given), wanted)
})

t.test('it holds the same addresses', async () => {
  const range = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
  )
  fc.assert(
    fc.property(range, ([address, bits]) => {
      const [given, normal] = [`${address}/${bits}`, normaliseRange(`${address}/${bits}`)]
      const holds = createAddressList([given]).covers(normal) && createAddressList([normal]).covers(given)
      return holds && normaliseRange(normal) === normal
    }),
    { numRuns: 500 },
  )
})

t.test('options of an allocation', async (t) => {
  const panel = await startPanel()
  t.teardown(() => panel.stop())
  const device = await panel.enrol({ id: 'alice' })
  const tcp = { protocol: 'tcp', localPort: 25_565 }
  const { token } = device
  const post = (options: unknown, protocol = 'tcp') =>
    panel.call('POST', '/api/tunnel/allocations', { token, json: { ...tcp, protocol, options } })

  t.test('they are shown, merged and lifted', async (t) => {
    const made = await post({ maxConnections: 5, allow: ['192.0.2.9/24', '192.0.2.0/24'], deny: [] })
    t.equal(made.status, 201)
    const { id, options } = made.body.allocation
    t.same(options, { maxConnections: 5, allow: ['192.0.2.0/24'], deny: [] })
    const patch = async (change: unknown) => {
      const json = { options: change }
      return (await panel.call('PATCH', `/api/tunnel/allocations/${id}`, { token, json })).body.allocation.options
    }
    t.same(await patch({ proxyProtocol: 'v2', maxConnections: null, deny: null }), {
      proxyProtocol: 'v2',
      allow: ['192.0.2.0/24'],
    })
    t.same(await patch({}), { proxyProtocol: 'v2', allow: ['192.0.2.0/24'] })
    const limits = {
      bandwidth: 4_096,
      idleTimeout: 60,
      maxConnections: 9,
      maxConnectionsPerSource: 3,
      connectionRate: 50,
    }
    const fields = [...Object.entries(limits).map(([name, value]) => ({ [name]: value })), { deny: ['::1'] }]
    await Promise.all(fields.map(patch))
    t.same(await patch({ allow: null, proxyProtocol: null }), { ...limits, deny: ['::1'] })
    t.same(await patch({ connectionRate: null, maxConnectionsPerSource: null, deny: null }), {
      bandwidth: 4_096,
      idleTimeout: 60,
      maxConnections: 9,
    })
    t.same(await patch(null), {})
    t.same((await panel.allocations({ id: 'alice' }))[0]?.options, {})
  })

  t.test('nonsense is 400', async (t) => {
    const many = Array.from({ length: 129 }, (_, n) => `10.0.0.${n}`)
    const bad = [
      { proxyProtocol: 'v3' },
      { maxConnections: 0 },
      { maxConnections: 65_537 },
      { maxConnections: '5' },
      { maxConnectionsPerSource: 0 },
      { maxConnectionsPerSource: 65_537 },
      { connectionRate: 0 },
      { connectionRate: 100_001 },
      { connectionRate: 1.5 },
      { bandwidth: 1_023 },
      { bandwidth: 1.5e3 + 0.5 },
      { idleTimeout: 4 },
      { idleTimeout: 86_401 },
      { allow: ['nowhere'] },
      { deny: ['10.0.0.0/33'] },
      { deny: ['fe80::1%eth0'] },
      { allow: many },
      { allow: 'all' },
      { allow: [7] },
      { allow: null },
      { unknown: 1 },
      [],
      null,
    ]
    for (const options of bad) t.equal((await post(options)).status, 400, JSON.stringify(options)?.slice(0, 60))
    for (const protocol of ['udp', 'both']) t.equal((await post({ proxyProtocol: 'v1' }, protocol)).status, 400)
    const { body } = await post({ deny: ['10.0.0.1', 'x'] })
    t.same(body.errors, [{ path: '/options/deny/1', message: 'not an address or CIDR range' }])
  })
})
