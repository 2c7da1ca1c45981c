import { hash, timingSafeEqual } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PasswordScheme } from './password-scheme.js'
import { wordpressForms } from './wordpress-forms.js'

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const expression = /^\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})$/
const minRoundsLog2 = 7
/** 131,072 rounds; WordPress has 2^13, phpBB 2^11. */
const maxRoundsLog2 = 17
/** MD5 has no thread of its own here: after so many rounds, some 1 ms, others have their turn. */
const roundsPerTurn = 1_024

/** phpass's portable hashes, salted MD5 many times: `$P$` in WordPress before 6.8, `$H$` in phpBB 3. */
export const phpass: PasswordScheme = {
  name: 'phpass',
  workOf(stored) {
    const { roundsLog2 } = read(stored) ?? {}
    return roundsLog2 === undefined ? undefined : `phpass:${roundsLog2}`
  },
  // phpBB does not trim.
  forms: (password) => [...wordpressForms(password), password],
  async verify(stored, password) {
    const found = read(stored)
    if (!found) return false
    const text = Buffer.from(password)
    let digest = md5(Buffer.from(found.salt), text)
    for (let round = 1; round <= 2 ** found.roundsLog2; round += 1) {
      digest = md5(digest, text)
      if (round % roundsPerTurn === 0) await nextTurn()
    }
    return timingSafeEqual(Buffer.from(encode(digest)), Buffer.from(found.digest))
  },
}

function read(
  stored: string,
): { readonly roundsLog2: number; readonly salt: string; readonly digest: string } | undefined {
  const [, rounds, salt, digest] = expression.exec(stored) ?? []
  if (rounds === undefined || salt === undefined || digest === undefined) return undefined
  const roundsLog2 = alphabet.indexOf(rounds)
  if (roundsLog2 < minRoundsLog2 || roundsLog2 > maxRoundsLog2) return undefined
  return { roundsLog2, salt, digest }
}

function md5(first: Buffer, second: Buffer): Buffer {
  return hash('md5', Buffer.concat([first, second]), 'buffer')
}

/** Base 64 of its own kind: three bytes, lowest first, make four characters, lowest six bits first. */
function encode(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const value = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
    const characters = left >= 3 ? 4 : left + 1
    for (let index = 0; index < characters; index += 1) text += alphabet[(value >> (6 * index)) & 63]
  }
  return text
}
