import { createHmac } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const stepSeconds = 30

/** The code of RFC 6238 (SHA-1, 6 digits, 30 s) for a secret in base32, some steps from now. */
export function totp(secret: string, stepsFromNow = 0, now: number = Date.now()): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 1000 / stepSeconds) + stepsFromNow))
  const mac = createHmac('sha1', decodeBase32(secret)).update(counter).digest()
  const offset = (mac.at(-1) ?? 0) & 15
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

/**
 * The code of the step before, which counts as long as this one lasts: for it one has `timeMs` at least. The present one and the next are left for
 * what comes then.
 */
export async function previousTotp(secret: string, timeMs = 3_000): Promise<string> {
  if (untilNextStep() < timeMs) await delay(untilNextStep() + 1)
  return totp(secret, -1)
}

/** A code that is none of the secret's at the moment. */
export function wrongTotp(secret: string): string {
  const right = new Set([-2, -1, 0, 1, 2].map((step) => totp(secret, step)))
  for (let code = 0; ; code++) {
    const text = String(code).padStart(6, '0')
    if (!right.has(text)) return text
  }
}

/** Milliseconds until the next step. */
export function untilNextStep(now: number = Date.now()): number {
  return stepSeconds * 1000 - (now % (stepSeconds * 1000))
}

function decodeBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const character of text.replace(/=+$/, '').toUpperCase()) {
    value = ((value << 5) | alphabet.indexOf(character)) & 0xffff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes)
}
