import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { addressBytes, formatIpAddress, parseIpAddress } from '../../dist/players/ip-address.js'

const hex = (text: string) => Buffer.from(addressBytes(text) ?? []).toString('hex')

t.test('byte for byte', async (t) => {
  const known = {
    '192.0.2.1': 'c0000201',
    '255.255.255.255': 'ffffffff',
    '::': '0'.repeat(32),
    '::1': `${'0'.repeat(31)}1`,
    '1::': `0001${'0'.repeat(28)}`,
    '2001:DB8::ff:2': `20010db8${'0'.repeat(16)}00ff0002`,
    '1:2:3:4:5:6:7:8': '00010002000300040005000600070008',
    '1:2:3:4:5:6:7::': '00010002000300040005000600070000',
    '::ffff:192.0.2.1': `${'0'.repeat(20)}ffffc0000201`,
    '64:ff9b::1.2.3.4': `0064ff9b${'0'.repeat(16)}01020304`,
    '1:2:3:4:5:6:1.2.3.4': '00010002000300040005000601020304',
  }
  for (const [text, bytes] of Object.entries(known)) t.equal(hex(text), bytes, text)
})

t.test("the same addresses as Node's isIPv6, but for zones", async () => {
  const group = fc.oneof(
    fc.constant(''),
    fc.constant('0'),
    fc.string({ unit: fc.constantFrom(...'019afAF'), maxLength: 5 }),
    fc.ipV4(),
  )
  const nearly = fc.array(group, { maxLength: 10 }).map((groups) => groups.join(':'))
  const text = fc.oneof(fc.ipV6(), nearly, fc.string(), fc.string({ unit: fc.constantFrom(...'01f:.g%') }))
  fc.assert(
    fc.property(
      text,
      (text) => !text.includes(':') || (addressBytes(text) !== undefined) === (isIPv6(text) && !text.includes('%')),
    ),
    { numRuns: 5_000 },
  )
})

t.test('what is written is read again, and as others write it', async (t) => {
  for (const text of [
    '::',
    '::1',
    '1::',
    '2001:db8::ff:2',
    '1:0:0:2::3',
    '1:2:3:4:5:6:7:8',
    '0:1:2:3:4:5:6:7',
    '192.0.2.1',
  ]) {
    const parsed = parseIpAddress(text)
    t.equal(parsed && formatIpAddress(parsed), text)
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      // A URL's host is written by the same rules (WHATWG URL, "IPv6 serializer").
      const text = formatIpAddress({ family: 6, bytes })
      return (
        new URL(`http://[${text}]`).hostname === `[${text}]` &&
        Buffer.from(bytes).equals(addressBytes(text) ?? Buffer.alloc(0))
      )
    }),
    { numRuns: 1_000 },
  )
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const parsed = parseIpAddress(text)
      if (parsed?.family === 4) return true
      return new URL(`http://[${text}]`).hostname === `[${parsed && formatIpAddress(parsed)}]`
    }),
  )
})
