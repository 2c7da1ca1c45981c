import { isIP } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { addressKey } from '../../dist/index.js'

t.test('gives IPv4 whole, IPv6 by its /64', async (t) => {
  const keys: Record<string, string> = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:c000:201': '192.0.2.1',
    '0:0:0:0:0:ffff:192.0.2.1': '192.0.2.1',
    '::1': '0:0:0:0::/64',
    '::': '0:0:0:0::/64',
    '2001:DB8:0:1::1': '2001:db8:0:1::/64',
    '2001:db8:0000:0001:ffff:ffff:ffff:ffff': '2001:db8:0:1::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '1:2:3:4:5:6:7::': '1:2:3:4::/64',
    '64:ff9b::192.0.2.1': '64:ff9b:0:0::/64',
  }
  for (const [address, key] of Object.entries(keys)) t.equal(addressKey(address), key, address)
})

t.test('gives one key for anything that is no address', async (t) => {
  for (const text of [
    '',
    ' ',
    '192.0.2',
    '192.0.2.1 ',
    '192.0.2.256',
    '01.2.3.4',
    ':::',
    '1::2::3',
    'a'.repeat(10_000),
  ]) {
    t.equal(addressKey(text), 'invalid', text.slice(0, 20))
  }
  fc.assert(fc.property(fc.string(), (text) => isIP(text) !== 0 || addressKey(text) === 'invalid'))
})

const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })

t.test('does not depend on how an address is written, nor on its second half', async () => {
  const spell = (parts: readonly number[], pad: boolean, upper: boolean): string => {
    const text = parts.map((part) => part.toString(16).padStart(pad ? 4 : 1, '0')).join(':')
    return upper ? text.toUpperCase() : text
  }
  fc.assert(
    fc.property(groups, groups, fc.boolean(), fc.boolean(), (parts, others, pad, upper) => {
      const inNetwork = [...parts.slice(0, 4), ...others.slice(4)]
      // The URL parser writes an address in its shortest form (RFC 5952).
      const shortest = new URL(`http://[${spell(parts, false, false)}]`).hostname.slice(1, -1)
      const key = addressKey(shortest)
      return (
        addressKey(spell(parts, pad, upper)) === key &&
        (parts.slice(0, 6).join() === '0,0,0,0,0,65535' || addressKey(spell(inNetwork, pad, upper)) === key)
      )
    }),
  )
})

t.test('gives different networks different keys', async () => {
  fc.assert(
    fc.property(groups, groups, (a, b) => {
      const text = (parts: number[]): string => parts.map((part) => part.toString(16)).join(':')
      return (addressKey(text(a)) === addressKey(text(b))) === (a.slice(0, 4).join() === b.slice(0, 4).join())
    }),
  )
})

t.test('takes IPv4 and the same IPv4 in IPv6 for one', async () => {
  fc.assert(fc.property(fc.ipV4(), (address) => addressKey(`::ffff:${address}`) === addressKey(address)))
})
