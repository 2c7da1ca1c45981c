import { createHmac, hkdfSync } from 'node:crypto'

type Json = Readonly<Record<string, unknown>>

export interface Jwt {
  readonly header: Json
  readonly payload: Json
  readonly signature: string
}

export function readJwt(token: string): Jwt {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json
  return { header: parse(header), payload: parse(payload), signature }
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs with any algorithm's MAC and claims anything; text goes as it is. */
export function signJwt(header: unknown, payload: unknown, key: Buffer | string, hash = 'sha256'): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

export function unsignedJwt(header: unknown, payload: unknown, signature = ''): string {
  return `${encode(header)}.${encode(payload)}.${signature}`
}

/** The key of one purpose's tokens, as who knows a secret of SECRET_KEYS can derive it (RFC 5869). */
export function tokenKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sallyport purpose token ${purpose}`, 32))
}

/** The token with one bit of one part turned; the part stays base64url of as many bytes. */
export function flipBit(token: string, part: 0 | 1 | 2, bit: number): string {
  const parts = token.split('.').map((text) => Buffer.from(text, 'base64url'))
  const bytes = parts[part] as Buffer
  const at = Math.min(Math.floor(bit / 8), bytes.length - 1)
  bytes[at] = (bytes[at] as number) ^ (1 << (bit % 8))
  return parts.map((buffer) => buffer.toString('base64url')).join('.')
}
