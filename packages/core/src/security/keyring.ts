import type { KeyObject } from 'node:crypto'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** A key derived from one of the panel's secrets, for one purpose. */
export interface DerivedKey {
  /** Tells the secret it comes from, without telling the secret. */
  readonly id: string
  readonly key: KeyObject
}

/** The panel's secrets: the first signs and encrypts, all verify and decrypt. */
export interface Keyring {
  /** 256-bit keys for `purpose`, newest first (HKDF-SHA-256, RFC 5869). The same purpose gives the same keys. */
  derive(purpose: string): readonly [DerivedKey, ...DerivedKey[]]
}

export const Keyring: ServiceToken<Keyring> = defineService<Keyring>('core.keyring')
