import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Encryption } from '../agent-types.js'
import { RelayError } from '../errors.js'
import type { CertificatePair } from '../relay-types.js'
import { fingerprintOf } from './fingerprint.js'
import { createSelfSigned } from './self-signed.js'
import { MIN_TLS_VERSION } from './tls-terms.js'

/** By which certificate agents know the relay: a given one, or one of its own making. */
export class RelayIdentity {
  readonly encryption: Encryption
  #given: CertificatePair | undefined
  #own: CertificatePair | undefined
  #ownFingerprint: string | undefined

  constructor(encryption: Encryption, given: CertificatePair | undefined) {
    this.encryption = encryption
    this.#given = given
  }

  /** The relay's own, for its storage; kept while another one or none is in use. */
  get own(): CertificatePair | undefined {
    return this.#own
  }

  /** Takes the one from the storage, or makes one when there is none that is any good; true: there is a new one to be stored. */
  establish(stored: CertificatePair | undefined): boolean {
    if (this.#own === undefined && stored !== undefined && flawOf(stored) === undefined) this.#own = stored
    if (this.#own !== undefined || this.encryption === 'off' || this.#given !== undefined) return false
    this.#own = createSelfSigned()
    return true
  }

  /** What the data port shows; undefined without encryption. */
  get certificate(): CertificatePair | undefined {
    return this.encryption === 'off' ? undefined : (this.#given ?? this.#own)
  }

  get fingerprint(): string | undefined {
    if (this.encryption === 'off' || this.#given !== undefined || this.#own === undefined) return undefined
    this.#ownFingerprint ??= fingerprintOf(new X509Certificate(this.#own.cert))
    return this.#ownFingerprint
  }

  /** In place of the given one. Throws RELAY_ERR_INVALID_OPTION. */
  renew(certificate: CertificatePair): void {
    if (this.#given === undefined) throw invalid('the relay was made without one')
    this.#given = checkCertificate(certificate)
  }
}

/** Gives the pair. Throws RELAY_ERR_INVALID_OPTION. */
export function checkCertificate(pair: CertificatePair): CertificatePair {
  const { key, cert } = pair
  const flaw = typeof key !== 'string' || typeof cert !== 'string' ? 'no PEM' : flawOf(pair)
  if (flaw !== undefined) throw invalid(flaw)
  return { key, cert }
}

/** What OpenSSL says of a private key is not repeated. */
function flawOf({ key, cert }: CertificatePair): string | undefined {
  try {
    const certificate = new X509Certificate(cert)
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return 'the private key is not that of the certificate'
    if (Date.parse(certificate.validTo) <= Date.now()) return `expired on ${certificate.validTo}`
    if (Date.parse(certificate.validFrom) > Date.now()) return `not valid before ${certificate.validFrom}`
    createSecureContext({ key, cert, minVersion: MIN_TLS_VERSION })
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === undefined ? 'no PEM' : `cannot be used (${code})`
  }
}

function invalid(why: string): RelayError {
  return new RelayError('RELAY_ERR_INVALID_OPTION', `certificate: ${why}`)
}
