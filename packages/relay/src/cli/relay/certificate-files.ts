import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { CertificatePair, Relay } from '../../relay-types.js'
import { errorCode } from '../config/config-file.js'
import { CliError, ExitCode } from '../exit.js'
import type { Output } from '../terminal/output.js'
import { checkPem, troubleWith } from './certificate-check.js'

export interface CertificateFiles {
  certificate: string
  privateKey: string
  option: { certificate: CertificatePair }
}

/** Looks at the files until it is ended. */
export interface CertificateWatch {
  /** At once. */
  look(): Promise<void>
  end(): void
}

const LOOK_AGAIN_MS = 60_000
const MAX_PEM_LENGTH = 1_048_576

/** Undefined without files. Throws CliError. */
export async function readCertificate(
  certificate: string | undefined,
  privateKey: string | undefined,
): Promise<CertificateFiles | undefined> {
  if (certificate === undefined && privateKey === undefined) return undefined
  if (certificate === undefined || privateKey === undefined)
    throw new CliError('invalid_certificate', '--certificate and --private-key belong together', ExitCode.usage)
  const pair = await readPair(certificate, privateKey)
  checkPem(pair, { certificate, privateKey })
  return { certificate, privateKey, option: { certificate: pair } }
}

/** Takes a renewed pair into use within a minute of its being written, and says once a day at most what is wrong with the one in use. */
export function followCertificate(
  files: CertificateFiles,
  relay: Pick<Relay, 'setCertificate' | 'publicHost'>,
  output: Output,
  everyMs: number = LOOK_AGAIN_MS,
): CertificateWatch {
  let seen = files.option.certificate
  let inUse = seen.cert
  let lastTrouble = ''
  let lastWarning: string | undefined

  function warn(): void {
    const warning = troubleWith(inUse, relay.publicHost)
    if (warning !== undefined && warning !== lastWarning)
      output.notice('certificate_trouble', `the certificate ${files.certificate}: ${warning}`)
    lastWarning = warning
  }
  async function look(): Promise<void> {
    try {
      const pair = await readPair(files.certificate, files.privateKey)
      if (!isDeepStrictEqual(pair, seen)) {
        // A pair of which one file was still to be written is another the next time.
        seen = pair
        relay.setCertificate(pair)
        inUse = pair.cert
        lastTrouble = ''
        output.event('certificate_renewed', `a renewed certificate is in use (${files.certificate})`)
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      if (detail !== lastTrouble) output.notice('certificate_not_renewed', `the certificate in use stays: ${detail}`)
      lastTrouble = detail
    }
    warn()
  }
  warn()
  const timer = setInterval(look, everyMs).unref()
  return { look, end: () => clearInterval(timer) }
}

async function readPair(certificate: string, privateKey: string): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([readPem(certificate), readPem(privateKey)])
  return { cert, key }
}

async function readPem(path: string): Promise<string> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError('certificate_unreadable', `${path} cannot be read (${errorCode(error)})`)
  })
  if (content.length <= MAX_PEM_LENGTH) return content
  throw new CliError('certificate_unreadable', `${path} is too large to be a certificate or a key`)
}
