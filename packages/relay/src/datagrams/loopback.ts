import { plainAddress } from '../players/source-key.js'

/** An address of this machine that no other can have (RFC 6890). */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address)
  return plain.startsWith('127.') || plain === '::1'
}
