import { isIP } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { type ProxiedPair, proxyHeaderV1, proxyHeaderV2 } from '../../dist/players/proxy-header.js'

/**
 * A reader written from HAProxy's "The PROXY protocol, versions 1 & 2" and from nothing of ours. Refuses what the specification does
 * not let a receiver take.
 */
interface Read {
  transport: 'TCP' | 'UDP' | 'UNKNOWN'
  family: 4 | 6 | undefined
  source: string
  destination: string
  sourcePort: number
  destinationPort: number
  length: number
}

const NOTHING = { family: undefined, source: '', destination: '', sourcePort: 0, destinationPort: 0 }

/** Section 2.1: one line of at most 107 characters, CRLF included, single spaces, ports from 0 to 65535 without leading zeros. */
function readV1(bytes: Buffer): Read {
  const end = bytes.indexOf('\r\n')
  if (end === -1 || end + 2 > 107) throw new Error('no line of 107 characters')
  const words = bytes.toString('latin1', 0, end).split(' ')
  if (words[0] !== 'PROXY') throw new Error('not PROXY')
  if (words[1] === 'UNKNOWN') return { ...NOTHING, transport: 'UNKNOWN', length: end + 2 }
  const [, name, source = '', destination = '', from = '', to = '', ...more] = words
  if ((name !== 'TCP4' && name !== 'TCP6') || more.length > 0) throw new Error('not TCP4 or TCP6')
  const family = name === 'TCP4' ? 4 : 6
  for (const address of [source, destination]) {
    const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
    const valid = family === 4 ? new RegExp(`^${octet}(\\.${octet}){3}$`) : /^[0-9A-Fa-f:]{2,39}$/
    if (!valid.test(address)) throw new Error(`no address: ${address}`)
  }
  for (const port of [from, to])
    if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) throw new Error('no port')
  const ends = { source: normal(source), destination: normal(destination) }
  return { transport: 'TCP', family, ...ends, sourcePort: Number(from), destinationPort: Number(to), length: end + 2 }
}

/** Section 2.2: signature, version and command, family and protocol, length, then as much as the family takes at least. */
function readV2(bytes: Buffer): Read {
  if (bytes.length < 16) throw new Error('too short')
  const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
  if (signature.some((byte, at) => bytes[at] !== byte)) throw new Error('no signature')
  const [version, family, size] = [bytes[12] ?? 0, bytes[13] ?? 0, bytes.readUInt16BE(14)]
  if (version >> 4 !== 2 || (version & 15) !== 1) throw new Error('not version 2, PROXY')
  if (bytes.length < 16 + size) throw new Error('shorter than it says')
  const length = 16 + size
  if (family === 0x00) return { ...NOTHING, transport: 'UNKNOWN', length }
  const transport = { 1: 'TCP', 2: 'UDP' }[family & 15] as 'TCP' | 'UDP' | undefined
  const octets = { 1: 4, 2: 16 }[family >> 4]
  if (transport === undefined || octets === undefined || size < 2 * octets + 4) throw new Error('no such family')
  const at = (offset: number) => bytes.subarray(16 + offset, 16 + offset + octets)
  return {
    transport,
    family: octets === 4 ? 4 : 6,
    source: text(at(0)),
    destination: text(at(octets)),
    sourcePort: bytes.readUInt16BE(16 + 2 * octets),
    destinationPort: bytes.readUInt16BE(18 + 2 * octets),
    length,
  }
}

function text(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  return normal((octets.toString('hex').match(/.{4}/g) ?? []).join(':'))
}

/** In the one spelling of the WHATWG URL standard. */
function normal(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
}

/** What should be read, of an address as Node tells it. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? normal(address.replace(/%.*/, ''))
}

const isMappedHex = (address: string) => address.includes(':') && normal(address).startsWith('::ffff:')
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV4().map((dotted) => `::ffff:${dotted}`),
  fc.ipV6().filter((text) => !isMappedHex(text)),
  fc.constantFrom('fe80::1%eth0', '::', '::1', '0.0.0.0', '255.255.255.255'),
)
const port = fc.integer({ min: 0, max: 65_535 })
const pair = fc.record<ProxiedPair>({
  protocol: fc.constantFrom('tcp', 'udp'),
  remoteAddress: address,
  remotePort: port,
  localAddress: address,
  localPort: port,
})

function same(read: Read, given: ProxiedPair, transport: string, length: number): boolean {
  const [source, destination] = [plain(given.remoteAddress), plain(given.localAddress)]
  const family = source.includes(':') ? 6 : 4
  const sameFamily = destination.includes(':') === source.includes(':')
  return (
    read.transport === transport &&
    read.family === family &&
    read.source === source &&
    read.destination === (sameFamily ? destination : family === 4 ? '0.0.0.0' : '::') &&
    read.sourcePort === given.remotePort &&
    read.destinationPort === given.localPort &&
    read.length === length
  )
}

t.test('version 1, read as the specification says, whatever follows', async () => {
  fc.assert(
    fc.property(pair, fc.uint8Array(), (given, rest) => {
      const header = proxyHeaderV1(given)
      return same(readV1(Buffer.concat([header, rest])), given, 'TCP', header.length)
    }),
    { numRuns: 2_000 },
  )
})

t.test('version 2, for TCP and UDP', async () => {
  fc.assert(
    fc.property(pair, fc.uint8Array(), (given, rest) => {
      const header = proxyHeaderV2(given)
      return same(readV2(Buffer.concat([header, rest])), given, given.protocol.toUpperCase(), header.length)
    }),
    { numRuns: 2_000 },
  )
})

t.test('the longest of version 1', async (t) => {
  const longest = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
  const given = {
    protocol: 'tcp' as const,
    remoteAddress: longest,
    remotePort: 65_535,
    localAddress: longest,
    localPort: 65_535,
  }
  t.equal(proxyHeaderV1(given).length, 104)
  t.ok(same(readV1(proxyHeaderV1(given)), given, 'TCP', 104))
})

t.test('an IPv4 address in hexadecimal groups is IPv4', async (t) => {
  const given = {
    protocol: 'tcp' as const,
    remoteAddress: '::ffff:c000:201',
    remotePort: 1,
    localAddress: '::FFFF:C000:202',
    localPort: 2,
  }
  t.equal(String(proxyHeaderV1(given)), 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
  t.match(readV2(proxyHeaderV2(given)), { family: 4, source: '192.0.2.1', destination: '192.0.2.2' })
})

t.test('what is no address says that nothing is known, and brings nothing in', async () => {
  const rubbish = fc.oneof(
    // '::' may come by chance.
    fc.string().filter((text) => isIP(text.replace(/%.*/, '')) === 0),
    fc.constantFrom('', 'x\r\nPROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n', '1.2.3', 'localhost'),
  )
  fc.assert(
    fc.property(pair, rubbish, (given, remoteAddress) => {
      const odd = { ...given, remoteAddress }
      const [one, two] = [proxyHeaderV1(odd), proxyHeaderV2(odd)]
      return [readV1(one), readV2(two)].every(
        ({ transport, length }, index) => transport === 'UNKNOWN' && length === [one, two][index]?.length,
      )
    }),
  )
})
