import { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.js'
import { plainAddress } from './source-key.js'

/**
 * Who speaks to whom, as the PROXY protocol tells a service behind a relay.
 * Source: HAProxy, "The PROXY protocol, versions 1 & 2", sections 2.1 and 2.2.
 */
export interface ProxiedPair {
  protocol: 'tcp' | 'udp'
  /** The player's. */
  remoteAddress: string
  remotePort: number
  /** The public one that the player came to. */
  localAddress: string
  localPort: number
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const VERSION_2_PROXY = 0x21
/** Address family in the high four bits, protocol in the low ones. */
const FAMILY = { 4: 0x10, 6: 0x20 } as const
const PROTOCOL = { tcp: 0x1, udp: 0x2 } as const

/** For when an address cannot be read: the service is told that nothing is known. */
const UNKNOWN_V1 = 'PROXY UNKNOWN\r\n'
const UNSPECIFIED: Readonly<Record<4 | 6, IpAddress>> = {
  4: { family: 4, bytes: new Uint8Array(4) },
  6: { family: 6, bytes: new Uint8Array(16) },
}

/** The text header (section 2.1): at most 104 bytes of the 107 that a service has to take. TCP only. */
export function proxyHeaderV1(pair: ProxiedPair): Buffer {
  const addresses = read(pair)
  if (addresses === undefined) return Buffer.from(UNKNOWN_V1, 'latin1')
  const { family, source, destination } = addresses
  const [from, to] = [formatIpAddress(source), formatIpAddress(destination)]
  return Buffer.from(`PROXY TCP${family} ${from} ${to} ${pair.remotePort} ${pair.localPort}\r\n`, 'latin1')
}

/** The binary header (section 2.2): 28 bytes for IPv4, 52 for IPv6. */
export function proxyHeaderV2(pair: ProxiedPair): Buffer {
  const addresses = read(pair)
  if (addresses === undefined) return Buffer.concat([SIGNATURE, Buffer.from([VERSION_2_PROXY, 0, 0, 0])])
  const { family, source, destination } = addresses
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(pair.remotePort, 0)
  ports.writeUInt16BE(pair.localPort, 2)
  const block = Buffer.concat([source.bytes, destination.bytes, ports])
  const head = Buffer.from([VERSION_2_PROXY, FAMILY[family] | PROTOCOL[pair.protocol], 0, block.length])
  return Buffer.concat([SIGNATURE, head, block])
}

/** Both addresses in the family of the player's; a public one of the other family is given as unspecified. */
function read(pair: ProxiedPair): { family: 4 | 6; source: IpAddress; destination: IpAddress } | undefined {
  const source = parseIpAddress(plainAddress(pair.remoteAddress))
  if (source === undefined) return undefined
  const { family } = source
  const destination = parseIpAddress(plainAddress(pair.localAddress))
  return { family, source, destination: destination?.family === family ? destination : UNSPECIFIED[family] }
}
