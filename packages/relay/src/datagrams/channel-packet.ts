import { createCipheriv, createDecipheriv } from 'node:crypto'
import { IV_BYTES, KEY_BYTES, type KeySchedule } from './channel-keys.js'

/**
 * A packet: channel u64, packet number u48 (big endian), then AES-256-GCM of a bundle of items with its tag. The header is authenticated
 * with it; the nonce is the number, XORed into the key's IV (as in RFC 9001 section 5.3).
 */
export const PACKET_HEADER_BYTES = 14
export const TAG_BYTES = 16
export const PACKET_OVERHEAD_BYTES: number = PACKET_HEADER_BYTES + TAG_BYTES
export const MAX_PACKET_NUMBER: number = 2 ** 48 - 1

const CIPHER = 'aes-256-gcm'
const OPTIONS: Readonly<{ authTagLength: number }> = Object.freeze({ authTagLength: TAG_BYTES })
const COUNTER_AT = 8
const COUNTER_BYTES = 6

export function channelOf(packet: Buffer): bigint {
  return packet.readBigUInt64BE(0)
}

export function packetNumberOf(packet: Buffer): number {
  return packet.readUIntBE(COUNTER_AT, COUNTER_BYTES)
}

/** Header, ciphertext and tag, to be sent as they are; `plain` may be used again at once. */
export function sealPacket(
  channel: bigint,
  counter: number,
  keys: KeySchedule,
  plain: Buffer,
): [Buffer, Buffer, Buffer] {
  const { bytes } = keys.use(counter)
  const header = Buffer.allocUnsafe(PACKET_HEADER_BYTES)
  header.writeBigUInt64BE(channel, 0)
  header.writeUIntBE(counter, COUNTER_AT, COUNTER_BYTES)
  const cipher = createCipheriv(CIPHER, bytes.subarray(0, KEY_BYTES), nonceOf(bytes, header), OPTIONS)
  cipher.setAAD(header)
  const sealed = cipher.update(plain)
  cipher.final()
  return [header, sealed, cipher.getAuthTag()]
}

/** The bundle, or undefined for what is not authentic. Of at least PACKET_OVERHEAD_BYTES. */
export function openPacket(packet: Buffer, counter: number, keys: KeySchedule): Buffer | undefined {
  const bytes = keys.peek(counter)?.bytes
  if (bytes === undefined) return undefined
  const header = packet.subarray(0, PACKET_HEADER_BYTES)
  const tagAt = packet.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, bytes.subarray(0, KEY_BYTES), nonceOf(bytes, header), OPTIONS)
  decipher.setAAD(header)
  decipher.setAuthTag(packet.subarray(tagAt))
  const plain = decipher.update(packet.subarray(PACKET_HEADER_BYTES, tagAt))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  keys.use(counter)
  return plain
}

function nonceOf(keyAndIv: Buffer, header: Buffer): Buffer {
  const nonce = Buffer.allocUnsafe(IV_BYTES)
  keyAndIv.copy(nonce, 0, KEY_BYTES)
  for (let at = 0; at < COUNTER_BYTES; at += 1) {
    const end = IV_BYTES - COUNTER_BYTES + at
    nonce[end] = (nonce[end] ?? 0) ^ (header[COUNTER_AT + at] ?? 0)
  }
  return nonce
}
