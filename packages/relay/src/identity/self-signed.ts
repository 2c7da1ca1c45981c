import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { CertificatePair } from '../relay-types.js'

export interface SelfSignedOptions {
  /** Up to 64 characters of ASCII (RFC 5280 appendix A.1, ub-common-name). */
  commonName: string
  notBefore: Date
  notAfter: Date
}

const DEFAULTS: SelfSignedOptions = {
  commonName: 'sallyport relay',
  // Whoever goes by the fingerprint has no use for dates, and clocks may be wrong.
  notBefore: new Date('2000-01-01T00:00:00Z'),
  // RFC 5280 section 4.1.2.5: no well-defined expiration date.
  notAfter: new Date('9999-12-31T23:59:59Z'),
}

/** A new P-256 key and an X.509 certificate of version 3 (RFC 5280 section 4.1) that it signed itself. */
export function createSelfSigned(options: Partial<SelfSignedOptions> = {}): CertificatePair {
  const { commonName, notBefore, notAfter } = { ...DEFAULTS, ...options }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid('2.5.4.3'), tagged(TAG.utf8, Buffer.from(commonName)))))
  const body = sequence(
    tagged(TAG.version, integer(Buffer.from([2]))),
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(TAG.extensions, sequence(NO_AUTHORITY, ONLY_SIGNS)),
  )
  const der = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey)))
  return { key: pemOf(privateKey), cert: pem('CERTIFICATE', der) }
}

// What follows is as much of DER (ITU-T X.690) as the above takes.

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
} as const

const TRUE = tagged(TAG.boolean, Buffer.from([0xff]))
/** RFC 5758 section 3.2. */
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
/** basicConstraints (RFC 5280 section 4.2.1.9): not an authority, which is the default and left out. */
const NO_AUTHORITY = sequence(oid('2.5.29.19'), TRUE, tagged(TAG.octets, sequence()))
/** keyUsage (section 4.2.1.3): digitalSignature, the first of the bits. */
const ONLY_SIGNS = sequence(oid('2.5.29.15'), TRUE, tagged(TAG.octets, tagged(TAG.bits, Buffer.from([7, 0x80]))))

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(TAG.sequence, ...parts)
}

function set(...parts: Buffer[]): Buffer {
  return tagged(TAG.set, ...parts)
}

function integer(bytes: Buffer): Buffer {
  return tagged(TAG.integer, bytes)
}

function bits(bytes: Buffer): Buffer {
  return tagged(TAG.bits, Buffer.from([0]), bytes)
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [40 * first + second]
  for (const part of rest) {
    const base128 = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) base128.unshift((left & 0x7f) | 0x80)
    bytes.push(...base128)
  }
  return tagged(TAG.oid, Buffer.from(bytes))
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/\.\d+|\D/g, '')}Z`
  if (at.getUTCFullYear() < 2050) return tagged(TAG.utcTime, Buffer.from(digits.slice(2)))
  return tagged(TAG.generalizedTime, Buffer.from(digits))
}

/** Positive, and no byte too long (section 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
