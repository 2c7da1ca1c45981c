import { BlockList } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { addressKey, createAddressList, isAddressRange } from '../../dist/index.js'

t.test('knows addresses and ranges from other text', async (t) => {
  for (const text of [
    '192.0.2.1',
    '192.0.2.0/24',
    '0.0.0.0/0',
    '192.0.2.77/24',
    '::1',
    '2001:DB8::/32',
    '::/0',
    '::ffff:192.0.2.0/120',
    '0000:0000:0000:0000:0000:ffff:192.168.100.200/128',
  ]) {
    t.ok(isAddressRange(text), text)
  }
  for (const text of [
    '',
    ' ',
    '192.0.2',
    '192.0.2.1/33',
    '192.0.2.1/',
    '192.0.2.1/-1',
    '192.0.2.1/1e1',
    '192.0.2.1/08',
    '192.0.2.1/8/8',
    '192.0.2.01',
    ' 192.0.2.1',
    '192.0.2.1\n',
    '::/129',
    ':::',
    'fe80::1%eth0',
    'fe80::%eth0/64',
    'example.com',
    '/8',
    `192.0.2.1/${'0'.repeat(100_000)}`,
  ]) {
    t.notOk(isAddressRange(text), text.slice(0, 40))
    t.throws(() => createAddressList(['192.0.2.1', text]), { code: 'CORE_ERR_ARGUMENT_INVALID' })
  }
})

t.test('holds what its entries hold, and no more', async (t) => {
  const list = createAddressList(['192.0.2.0/24', '198.51.100.7', '2001:db8:1::/48', '::ffff:10.0.0.0/104'])
  for (const address of [
    '192.0.2.0',
    '192.0.2.255',
    '::ffff:192.0.2.9',
    '::FFFF:c000:209',
    '198.51.100.7',
    '2001:db8:1:ffff::9',
    '2001:0DB8:0001::9%eth0',
    '10.200.1.1',
  ]) {
    t.ok(list.includes(address), address)
  }
  for (const address of [
    '192.0.3.0',
    '198.51.100.6',
    '2001:db8:2::1',
    '11.0.0.1',
    '::c000:209',
    '',
    'nonsense',
    '192.0.2.1/32',
    `${'%'.repeat(100_000)}\n`,
  ]) {
    t.notOk(list.includes(address), address.slice(0, 40))
  }
  t.notOk(createAddressList([]).includes('192.0.2.1'))
  t.notOk(createAddressList(['::/0']).includes('192.0.2.1'), 'all of IPv6 is none of IPv4')
  t.notOk(createAddressList(['0.0.0.0/0']).includes('::1'), 'and the other way round')
})

t.test('covers what lies within one of its entries', async (t) => {
  const list = createAddressList(['10.0.0.0/8', '2001:db8::/32', '192.0.2.0/25', '192.0.2.128/25'])
  for (const entry of ['10.1.0.0/16', '10.0.0.0/8', '10.1.2.3', '::ffff:10.1.0.0/112', '2001:db8:9::/48']) {
    t.ok(list.covers(entry), entry)
  }
  for (const entry of ['0.0.0.0/0', '10.0.0.0/7', '11.0.0.0/8', '::/0', '2001:db8::/31', '192.0.2.0/24', 'x', '']) {
    t.notOk(list.covers(entry), entry)
  }
})

const range = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([address, bits]) => `${address}/${bits}`),
)
const address = fc.oneof(fc.ipV4(), fc.ipV6())

t.test('agrees with Node about what a range holds', async () => {
  fc.assert(
    fc.property(range, address, (entry, asked) => {
      const family = (text: string): 'ipv4' | 'ipv6' => (text.includes(':') ? 'ipv6' : 'ipv4')
      // Of ranges over both families Node has another opinion.
      const isMapped = family(asked) === 'ipv6' && family(addressKey(asked)) === 'ipv4'
      if (family(entry) !== family(asked) || isMapped) return true
      const [network = '', bits] = entry.split('/')
      const reference = new BlockList()
      reference.addSubnet(network, Number(bits), family(entry))
      return createAddressList([entry]).includes(asked) === reference.check(asked, family(asked))
    }),
  )
})

t.test('covers an entry only if it holds what that holds', async () => {
  fc.assert(fc.property(range, (entry) => createAddressList([entry]).covers(entry)))
  fc.assert(fc.property(address, (one) => createAddressList([one]).includes(one)))
  fc.assert(
    fc.property(range, range, address, (outer, inner, one) => {
      if (!createAddressList([outer]).covers(inner)) return true
      return !createAddressList([inner]).includes(one) || createAddressList([outer]).includes(one)
    }),
  )
})

t.test('takes any text without throwing', async () => {
  const list = createAddressList(['192.0.2.0/24'])
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      return !(list.includes(text) && !isAddressRange(text)) && typeof list.covers(text) === 'boolean'
    }),
  )
})
