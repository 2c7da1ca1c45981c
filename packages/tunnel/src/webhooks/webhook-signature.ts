import { createHmac, timingSafeEqual } from 'node:crypto'

/** Headers of one delivery (Standard Webhooks 1.0). */
export interface WebhookHeaders {
  /** The same at each try: what was done once need not be done again. */
  readonly 'webhook-id': string
  /** Seconds since 1970, of this try. */
  readonly 'webhook-timestamp': string
  /** `v1,` and the signature in base64; several, with spaces between, while secrets change. */
  readonly 'webhook-signature': string
}

const encodedPrefix = 'whsec_'
const version = 'v1'
const defaultToleranceSeconds = 300
const maxHeaderLength = 4_096
const maxSignatures = 16
const timestampPattern = /^\d{1,12}$/

/**
 * Whether a delivery is genuine: signed with the secret, and of now.
 * @param headers of the request, names in lower case as node:http has them
 * @param body exactly as it came
 * @param secret as configured: its UTF-8 bytes, or after `whsec_` what the base64 says
 */
export function verifyWebhook(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string | Uint8Array,
  secret: string,
  toleranceSeconds: number = defaultToleranceSeconds,
): boolean {
  const id = headers['webhook-id']
  const timestamp = headers['webhook-timestamp']
  const signatures = headers['webhook-signature']
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false
  if (id.length === 0 || id.length > maxHeaderLength || signatures.length > maxHeaderLength) return false
  if (!timestampPattern.test(timestamp)) return false
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= toleranceSeconds)) return false
  const expected = mac(secret, id, timestamp, body)
  let genuine = false
  for (const signature of signatures.split(' ').slice(0, maxSignatures)) {
    const [name, text = ''] = signature.split(',', 2)
    const given = Buffer.from(text, 'base64')
    if (name === version && given.length === expected.length && timingSafeEqual(given, expected)) genuine = true
  }
  return genuine
}

/** @param now seconds since 1970 */
export function signWebhook(secret: string, id: string, now: number, body: string): WebhookHeaders {
  const timestamp = String(Math.floor(now))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `${version},${mac(secret, id, timestamp, body).toString('base64')}`,
  }
}

function mac(secret: string, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  const key = secret.startsWith(encodedPrefix)
    ? Buffer.from(secret.slice(encodedPrefix.length), 'base64')
    : Buffer.from(secret, 'utf8')
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
}
