import { parseIpAddress } from './ip-address.js'
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

/** The text header (section 2.1). TCP only. */
export function proxyHeaderV1(pair: ProxiedPair): Buffer {
  const { family, source, destination } = read(pair)
  const name = family === 4 ? 'TCP4' : 'TCP6'
  return Buffer.from(
    `PROXY ${name} ${source.text} ${destination.text} ${pair.remotePort} ${pair.localPort}\r\n`,
    'latin1',
  )
}

/** The binary header (section 2.2). */
export function proxyHeaderV2(pair: ProxiedPair): Buffer {
  const { family, source, destination } = read(pair)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(pair.remotePort, 0)
  ports.writeUInt16BE(pair.localPort, 2)
  const addresses = Buffer.concat([source.bytes, destination.bytes, ports])
  const head = Buffer.from([VERSION_2_PROXY, FAMILY[family] | PROTOCOL[pair.protocol], 0, addresses.length])
  return Buffer.concat([SIGNATURE, head, addresses])
}

interface Side {
  text: string
  bytes: Uint8Array
}

/** Both addresses in the family of the player's; a public one of the other family is given as unspecified. */
function read(pair: ProxiedPair): { family: 4 | 6; source: Side; destination: Side } {
  const unspecified = { 4: '0.0.0.0', 6: '::' } as const
  const sourceText = plainAddress(pair.remoteAddress)
  const source = parseIpAddress(sourceText) ?? { family: 4 as const, bytes: new Uint8Array(4) }
  const { family } = source
  const text = plainAddress(pair.localAddress)
  const destination = parseIpAddress(text)
  return {
    family,
    source: { text: sourceText, bytes: source.bytes },
    destination:
      destination?.family === family
        ? { text, bytes: destination.bytes }
        : { text: unspecified[family], bytes: new Uint8Array(source.bytes.length) },
  }
}
