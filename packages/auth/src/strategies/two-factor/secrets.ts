import { createSealer, type Keyring } from '@sallyport/core'

const purpose = 'two-factor secret'

export interface SealedSecret {
  readonly sealed: string
  /** Id of the key that sealed it. */
  readonly sealedBy: string
}

export interface OpenedSecret {
  readonly secret: string
  /** Whether another key than the newest sealed it. */
  readonly outdated: boolean
}

/** Seals users' secrets for the database; sealed for one user, it opens for no other. */
export interface Secrets {
  /** Id of the key that seals now. */
  readonly newestKey: string
  seal(secret: string, userId: string): SealedSecret
  /** `undefined` when the key is gone, or it is not the user's. */
  open(sealed: string, userId: string): OpenedSecret | undefined
}

export function createSecrets(keyring: Keyring): Secrets {
  const sealer = createSealer(keyring, purpose)
  const newestKey = keyring.derive(purpose)[0].id
  return {
    newestKey,
    seal: (secret, userId) => ({ sealed: sealer.seal(Buffer.from(secret), userId), sealedBy: newestKey }),
    open(sealed, userId) {
      const opened = sealer.open(sealed, userId)
      return opened && { secret: opened.plaintext.toString(), outdated: opened.outdated }
    },
  }
}
