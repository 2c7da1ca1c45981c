import { hkdfSync, timingSafeEqual } from 'node:crypto'

export const KEY_BYTES = 32
export const IV_BYTES = 12
const PACKET_KEY_BYTES: number = KEY_BYTES + IV_BYTES
/**
 * Packets under one AES-GCM key; then the next is derived, by both sides, from the packet number alone. Well below what keeps the
 * attacker's advantage at 2^-57 for packets of 64 KiB (2^23, RFC 9001 appendix B.1).
 */
export const PACKETS_PER_KEY = 4_194_304

/** What both ends of a link know: the ticket that made it, what the relay drew at random for WELCOME, and what TLS exports. */
export interface ChannelSecrets {
  /** The channel's number on the wire, u64. */
  channel: bigint
  ticket: string
  salt: Uint8Array
  /** RFC 8446 section 7.5; none without TLS. */
  exporter: Uint8Array | undefined
}

export interface ChannelKeys {
  toRelay: KeySchedule
  toAgent: KeySchedule
  /** Shows on a fallback stream that the agent is the link's; base64url. */
  proof: string
}

/** HKDF-SHA256 (RFC 5869): keys for each direction and the proof for the stream, from what no observer sees. */
export function deriveChannelKeys(secrets: ChannelSecrets): ChannelKeys {
  const { channel, ticket, exporter, salt } = secrets
  const text = Buffer.from(ticket)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const material = Buffer.concat([length, text, exporter ?? Buffer.alloc(0)])
  // One piece of memory: a relay keeps thousands.
  const block = expand(material, salt, `sallyport 2 ${channel}`, KEY_BYTES + 2 * PACKET_KEY_BYTES)
  const secret = block.subarray(0, KEY_BYTES)
  const second = KEY_BYTES + PACKET_KEY_BYTES
  return {
    toRelay: new KeySchedule(secret, 'to relay', block.subarray(KEY_BYTES, second)),
    toAgent: new KeySchedule(secret, 'to agent', block.subarray(second)),
    proof: expand(secret, '', 'stream', KEY_BYTES).toString('base64url'),
  }
}

function expand(material: Uint8Array, salt: Uint8Array | string, label: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', material, salt, label, bytes))
}

export function isSameProof(given: string, own: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(own)
  return a.length === b.length && timingSafeEqual(a, b)
}

export interface PacketKey {
  /** Packet number divided by PACKETS_PER_KEY. */
  epoch: number
  /** KEY_BYTES of key, then IV_BYTES that packet numbers are XORed into. */
  bytes: Buffer
}

/** The keys of one direction. Holds the one in use, the one before, and one that a packet not yet authenticated asked for. */
export class KeySchedule {
  readonly #secret: Buffer
  readonly #direction: string
  #current: PacketKey
  #previous: PacketKey | undefined
  #tentative: PacketKey | undefined

  /** `first`: for the packets with the lowest numbers. */
  constructor(secret: Buffer, direction: string, first: Buffer) {
    this.#secret = secret
    this.#direction = direction
    this.#current = { epoch: 0, bytes: first }
  }

  /** For a packet that is made here, or was found authentic: older keys go. */
  use(counter: number): PacketKey {
    const epoch = Math.floor(counter / PACKETS_PER_KEY)
    if (epoch <= this.#current.epoch) return this.#current
    const key = this.#tentative?.epoch === epoch ? this.#tentative : this.#derive(epoch)
    this.#previous = this.#current
    this.#current = key
    this.#tentative = undefined
    return key
  }

  /**
   * For a packet whose number nobody has vouched for. Undefined: too far from those that came. Forged numbers must not cost a key each, and
   * nobody loses so many packets in a row.
   */
  peek(counter: number): PacketKey | undefined {
    const epoch = Math.floor(counter / PACKETS_PER_KEY)
    if (this.#current.epoch === epoch) return this.#current
    if (this.#previous?.epoch === epoch) return this.#previous
    if (epoch !== this.#current.epoch + 1) return undefined
    this.#tentative ??= this.#derive(epoch)
    return this.#tentative
  }

  #derive(epoch: number): PacketKey {
    return { epoch, bytes: expand(this.#secret, '', `${this.#direction} ${epoch}`, PACKET_KEY_BYTES) }
  }
}
