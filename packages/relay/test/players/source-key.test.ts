import fc from 'fast-check'
import t from 'tap'
import { plainAddress, sourceKey } from '../../dist/players/source-key.js'

t.test('IPv4 by address, wrapped or not', async (t) => {
  t.equal(sourceKey('203.0.113.7'), '203.0.113.7')
  t.equal(sourceKey('::ffff:203.0.113.7'), '203.0.113.7')
  t.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
})

t.test('IPv6 by /64, however it is written', async (t) => {
  const same = ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:0DB8:0001:0002:0:0:0:9', '2001:db8:1:2::1.2.3.4']
  for (const address of same) t.equal(sourceKey(address), '2001:db8:1:2::/64', address)
  t.equal(sourceKey('::1'), '0:0:0:0::/64')
  t.equal(sourceKey('2001:db8::'), '2001:db8:0:0::/64')
  t.not(sourceKey('2001:db8:1:3::1'), '2001:db8:1:2::/64')
  t.equal(sourceKey('fe80::1:2:3:4%eth0'), 'fe80:0:0:0::/64')
})

t.test('every spelling has one key, and garbage never throws', async (t) => {
  fc.assert(
    fc.property(
      fc.ipV6(),
      (address) => /^([0-9a-f]{1,4}:){4}:\/64$/.test(sourceKey(address)) || address.startsWith('::ffff'),
    ),
  )
  fc.assert(fc.property(fc.string(), (text) => typeof sourceKey(text) === 'string'))
  t.pass('held')
})
