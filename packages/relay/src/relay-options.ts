import { isIP } from 'node:net'
import { RelayError } from './errors.js'
import type { HandOverChannel } from './handover/hand-over-line.js'
import { checkCertificate } from './identity/relay-identity.js'
import { DEFAULT_RELAY_LIMITS, type RelayLimits, resolveLimits } from './limits.js'
import { silentLogger } from './logger.js'
import type { Admission, CertificatePair, RelayOptions } from './relay-types.js'
import { memoryStorage } from './storage/memory.js'

const MIN_KEY_BYTES = 32
const MAX_TEXT_LENGTH = 255

export type ResolvedRelayOptions = Required<
  Omit<RelayOptions, 'ticketKey' | 'limits' | 'admission' | 'certificate' | 'predecessor'>
> & {
  certificate: CertificatePair | undefined
  ticketKey: Uint8Array | undefined
  admission: Admission | undefined
  predecessor: HandOverChannel | undefined
  limits: RelayLimits
}

/** Longest that a player may be kept waiting for an answer. */
const MAX_ADMISSION_MS = 60_000

/** Throws RELAY_ERR_INVALID_OPTION. */
export function checkAdmission(admission: Admission | undefined): Admission | undefined {
  if (admission === undefined) return undefined
  const { timeoutMs = 1, otherwise = 'allow' } = admission
  if (typeof admission.decide !== 'function') throw invalid('admission.decide', 'not a function')
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_ADMISSION_MS)
    throw invalid('admission.timeoutMs', `not 1 to ${MAX_ADMISSION_MS}`)
  if (otherwise !== 'allow' && otherwise !== 'deny') throw invalid('admission.otherwise', 'not allow or deny')
  return admission
}

/** Defaults filled in. Throws RELAY_ERR_INVALID_OPTION. */
export function resolveRelayOptions(options: RelayOptions): ResolvedRelayOptions {
  const resolved: ResolvedRelayOptions = {
    id: text('id', options.id ?? 'relay'),
    bindHost: text('bindHost', options.bindHost ?? '127.0.0.1'),
    publicHost: text('publicHost', options.publicHost ?? 'localhost'),
    dataPort: options.dataPort ?? 7350,
    encryption: options.encryption ?? 'tls',
    certificate: options.certificate === undefined ? undefined : checkCertificate(options.certificate),
    storage: options.storage ?? memoryStorage(),
    ticketKey: options.ticketKey,
    admission: checkAdmission(options.admission),
    predecessor: options.predecessor,
    logger: options.logger ?? silentLogger,
    limits: resolveLimits(DEFAULT_RELAY_LIMITS, options.limits),
  }
  const { dataPort, ticketKey, bindHost, encryption, certificate } = resolved
  if (!Number.isInteger(dataPort) || dataPort < 0 || dataPort > 65_535) throw invalid('dataPort', 'not 0 to 65535')
  if (isIP(bindHost) === 0 && bindHost !== 'localhost') throw invalid('bindHost', 'not an IP address')
  if (ticketKey !== undefined && ticketKey.length < MIN_KEY_BYTES) throw invalid('ticketKey', 'under 32 bytes')
  if (encryption !== 'tls' && encryption !== 'off') throw invalid('encryption', 'not tls or off')
  if (encryption === 'off' && certificate !== undefined) throw invalid('certificate', 'there is no encryption')
  return resolved
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT_LENGTH) return value
  throw invalid(name, 'empty, too long or not a text')
}

function invalid(name: string, why: string): RelayError {
  return new RelayError('RELAY_ERR_INVALID_OPTION', `${name}: ${why}`)
}
