import { BlockList } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { AddressRules, isAddressRule } from '../../dist/players/address-rules.js'
import { PlayerRules } from '../../dist/players/player-rules.js'

t.test('what is no address and no range is refused', async (t) => {
  for (const rule of [
    '10.0.0.1',
    '10.0.0.0/8',
    '0.0.0.0/0',
    '::',
    '::/0',
    '2001:db8::/32',
    '::ffff:1.2.3.4',
    '1::2/128',
  ])
    t.ok(isAddressRule(rule), rule)
  const wrong = [
    '',
    ' 10.0.0.1',
    '10.0.0',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/08',
    '10.0.0.1/-1',
    '10.0.0.1/8/8',
    '010.0.0.1',
  ]
  for (const rule of [...wrong, '::/129', 'fe80::1%eth0', 'fe80::%1/64', 'localhost', '1.2.3.4/1e1', '/8', ':::'])
    t.notOk(isAddressRule(rule), rule)
  fc.assert(fc.property(fc.string(), (text) => typeof isAddressRule(text) === 'boolean'))
})

t.test('ranges of IPv4 and IPv6, and mapped addresses either way', async (t) => {
  const rules = new AddressRules(['10.1.2.3/8', '192.0.2.7', '2001:db8::/33', '::ffff:172.16.0.0/108', 'fe80::1'])
  for (const address of ['10.0.0.0', '10.255.255.255', '::ffff:10.9.9.9', '::ffff:a09:909', '192.0.2.7', '172.31.0.1'])
    t.ok(rules.matches(address), address)
  for (const address of ['2001:db8:7fff::1', '2001:0DB8::', 'fe80::1']) t.ok(rules.matches(address), address)
  for (const address of ['11.0.0.0', '9.255.255.255', '192.0.2.8', '172.32.0.1', '2001:db8:8000::', 'fe80::2', '', 'x'])
    t.notOk(rules.matches(address), address)
  t.notOk(new AddressRules(['::/0']).matches('10.0.0.1'), 'IPv6 ranges are for IPv6')
  t.notOk(new AddressRules(['0.0.0.0/0']).matches('::1'))
  t.ok(new AddressRules(['0.0.0.0/0']).matches('255.255.255.255'))
  t.notOk(new AddressRules([]).matches('10.0.0.1'))
})

t.test("the same answers as Node's BlockList, which lets one family match the other", async () => {
  const v4 = fc.record({ net: fc.ipV4(), bits: fc.nat(32) })
  // In hexadecimal groups they are mapped addresses too, which are IPv4 here.
  const isMapped = (text: string) => text.includes('.') || new URL(`http://[${text}]`).hostname.startsWith('[::ffff:')
  const v6 = fc.record({ net: fc.ipV6().filter((text) => !isMapped(text)), bits: fc.nat(128) })
  fc.assert(
    fc.property(fc.array(v4, { maxLength: 5 }), fc.array(v6, { maxLength: 5 }), fc.nat(255), (four, six, last) => {
      const rules = new AddressRules([...four, ...six].map(({ net, bits }) => `${net}/${bits}`))
      const check = (family: 'ipv4' | 'ipv6', ranges: typeof four, addresses: string[]) => {
        const list = new BlockList()
        for (const { net, bits } of ranges) list.addSubnet(net, bits, family)
        return addresses.every((address) => rules.matches(address) === list.check(address, family))
      }
      const near4 = four.map(({ net }) => net.replace(/\d+$/, String(last)))
      return (
        check('ipv4', four, ['10.0.0.1', ...near4]) && check('ipv6', six, ['2001:db8::1', ...six.map(({ net }) => net)])
      )
    }),
    { numRuns: 300 },
  )
})

t.test('ranges within ranges, in any order', async (t) => {
  const ranges = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '10.1.2.0/24', '0.0.0.0/2', '10.255.255.255', '9.0.0.0/8']
  for (const rules of [ranges, [...ranges].reverse(), [...ranges].sort()]) {
    const list = new AddressRules(rules)
    for (const address of ['10.1.2.4', '10.200.0.1', '63.255.255.255', '0.0.0.0']) t.ok(list.matches(address), address)
    t.notOk(list.matches('64.0.0.0'))
  }
})

t.test('ten thousand players are judged by 512 rules in a moment', async (t) => {
  const numbers = Array.from({ length: 10_000 }, (_, n) => n)
  const players = {
    ipv4: numbers.map((n) => `192.168.${n >> 8}.${n & 255}`),
    ipv6: numbers.map((n) => `2a00:1450:4001:${n.toString(16)}::200e`),
  }
  const rules = (first: number) =>
    Array.from({ length: 256 }, (_, n) =>
      n % 2 === 0 ? `${first}.${n}.0.0/16` : `2001:${first}:${n.toString(16)}::/48`,
    )
  for (const [family, addresses] of Object.entries(players)) {
    const tookMs: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const startedAt = performance.now()
      const playerRules = new PlayerRules({})
      playerRules.update({ allow: [...rules(11).slice(2), '0.0.0.0/0', '::/0'], deny: rules(10) })
      t.equal(addresses.filter((address) => !playerRules.admits(address)).length, 0)
      tookMs.push(performance.now() - startedAt)
    }
    // 5 ms alone on the machine; five rounds, since others may be on it too.
    t.ok(Math.min(...tookMs) < 50, `${family}: ${tookMs.map(Math.round)} ms`)
  }
})
