import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `client`: what its permissions say. `admin`: the whole panel. */
export type KeyType = 'client' | 'admin'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretBytes = 32
/** Digits of base 62 that 256 bits and 32 bits take. */
const secretLength = 43
const checksumLength = 6
/** What every key begins with: secret scanners find leaked ones by it, and people see what they have. */
const marks: Readonly<Record<KeyType, string>> = { client: 'sp_c_', admin: 'sp_a_' }
const keyExpression = /^sp_[ca]_[0-9A-Za-z]{49}$/
const keyLength = marks.client.length + secretLength + checksumLength
/** Of a key's characters those that lists show: six of its secret's, some 36 of 256 bits. */
const prefixLength = marks.client.length + 6

/** Makes a new key: a mark, 256 random bits and a checksum. */
export function generateKey(type: KeyType): string {
  const secret = toBase62(BigInt(`0x${randomBytes(secretBytes).toString('hex')}`), secretLength)
  const body = `${marks[type]}${secret}`
  return body + checksum(body)
}

/** Whether `text` may be a key: one that is mistyped or cut short is told without asking the database. */
export function isWellFormedKey(text: string): boolean {
  if (text.length !== keyLength || !keyExpression.test(text)) return false
  const body = text.slice(0, -checksumLength)
  return checksum(body) === text.slice(-checksumLength)
}

/** What is stored in a key's place. Of 256 random bits, so a fast digest does. */
export function digestOfKey(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** What a key is recognised by. */
export function prefixOfKey(text: string): string {
  return text.slice(0, prefixLength)
}

function checksum(body: string): string {
  return toBase62(BigInt(crc32(body)), checksumLength)
}

function toBase62(value: bigint, length: number): string {
  let rest = value
  let text = ''
  while (text.length < length) {
    text = (alphabet[Number(rest % 62n)] ?? '') + text
    rest /= 62n
  }
  return text
}
