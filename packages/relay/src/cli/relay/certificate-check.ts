import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { CertificatePair } from '../../relay-types.js'
import { CliError } from '../exit.js'
import { count } from '../terminal/table.js'

const DAY_MS = 86_400_000
const WARN_DAYS = 14

/** Says of which file it is that a pair is not one. Throws CliError `invalid_certificate`; whether they belong together is not looked at. */
export function checkPem({ cert, key }: CertificatePair, files: { certificate: string; privateKey: string }): void {
  try {
    new X509Certificate(cert)
  } catch {
    throw invalid(`--certificate ${files.certificate} is no certificate in PEM`)
  }
  try {
    createPrivateKey(key)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const isEncrypted = code === 'ERR_MISSING_PASSPHRASE' || /ENCRYPTED/.test(key.slice(0, 200))
    const what = isEncrypted
      ? 'is protected by a passphrase, which a relay cannot be given'
      : 'is no private key in PEM'
    throw invalid(`--private-key ${files.privateKey} ${what}`)
  }
}

/** What agents will say against it, or soon; undefined: nothing. One that is expired already is refused elsewhere. */
export function troubleWith(cert: string, publicHost: string, now: number = Date.now()): string | undefined {
  const certificate = new X509Certificate(cert)
  const names = isIP(publicHost) === 0 ? certificate.checkHost(publicHost) : certificate.checkIP(publicHost)
  if (names === undefined) {
    const named =
      certificate.subjectAltName?.replaceAll(/DNS:|IP Address:/g, '') ?? /^CN=(.*)$/m.exec(certificate.subject)?.[1]
    const others = named === undefined ? '' : `, but for ${named.slice(0, 200)}`
    return `it is not for '${publicHost}'${others}: agents will refuse it`
  }
  const days = Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS)
  if (days < 0) return 'it has expired: agents refuse it'
  return days < WARN_DAYS
    ? `it expires ${days === 0 ? 'within a day' : `in ${count(days, 'day')}`}: renew it`
    : undefined
}

function invalid(detail: string): CliError {
  return new CliError('invalid_certificate', detail)
}
