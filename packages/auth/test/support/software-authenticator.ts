import {
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto'

/** An authenticator and its browser in one, which does as it is told: the wrong thing too. */
export interface SoftwareAuthenticator {
  /** Makes a discoverable credential and gives what `toJSON()` would after `navigator.credentials.create`. */
  create(options: CreationOptions, deviations?: Deviations): RegistrationJson
  /** Signs with a credential, the latest by default, and gives what `toJSON()` would after `navigator.credentials.get`. */
  get(options: RequestOptions, deviations?: Deviations & { readonly credential?: Credential }): AssertionJson
  readonly credentials: readonly Credential[]
}

export interface Credential {
  readonly id: string
  readonly userHandle: string
  readonly privateKey: KeyObject
  readonly algorithm: Algorithm
  counter: number
}

export interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id?: string }
  readonly user: { readonly id: string }
}

export interface RequestOptions {
  readonly challenge: string
  readonly rpId?: string
}

/** What is other than it would be. */
export interface Deviations {
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  readonly challenge?: string
  readonly userVerified?: boolean
  readonly userPresent?: boolean
  readonly backupEligible?: boolean
  /** Of the credential; else one more than last. */
  readonly counter?: number
  readonly userHandle?: string | undefined
  readonly clientData?: Readonly<Record<string, unknown>>
  /** Changes authenticator data before it is signed. */
  readonly alter?: (authenticatorData: Buffer) => Buffer
  /** Of a credential that is made; else a random one. */
  readonly credentialId?: string
  readonly format?: { readonly fmt: string; readonly attStmt: ReadonlyMap<CborKey, CborValue> }
}

export interface RegistrationJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports: readonly string[]
  }
  readonly authenticatorAttachment: string
  readonly clientExtensionResults: object
}

export interface AssertionJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string
  }
  readonly authenticatorAttachment: string
  readonly clientExtensionResults: object
}

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256'

interface AuthenticatorOptions {
  /** Of the pages that it is used by. */
  readonly origin: string
  readonly algorithm?: Algorithm
  /** Whether it counts its signatures; most passkeys do not, and say 0. */
  readonly counts?: boolean
}

type CborKey = number | string
export type CborValue = number | string | Uint8Array | readonly CborValue[] | ReadonlyMap<CborKey, CborValue>

/** Flags of authenticator data (WebAuthn L3 section 6.1). */
const flags = { userPresent: 1, userVerified: 4, backupEligible: 8, attestedCredential: 64 }

export function createSoftwareAuthenticator(options: AuthenticatorOptions): SoftwareAuthenticator {
  const { origin, algorithm = 'ES256', counts = true } = options
  const credentials: Credential[] = []
  const common = { type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {} } as const

  const clientData = (type: string, challenge: string, deviations: Deviations): string =>
    base64url(
      JSON.stringify({
        type: deviations.type ?? type,
        challenge: deviations.challenge ?? challenge,
        origin: deviations.origin ?? origin,
        crossOrigin: false,
        ...deviations.clientData,
      }),
    )

  return {
    credentials,
    create({ challenge, rp, user }, deviations = {}) {
      const { publicKey, privateKey } = generateKey(algorithm)
      const id = deviations.credentialId ?? base64url(randomBytes(32))
      const credential: Credential = { id, userHandle: user.id, privateKey, algorithm, counter: 0 }
      credentials.push(credential)
      const rawId = Buffer.from(id, 'base64url')
      const length = Buffer.alloc(2)
      length.writeUInt16BE(rawId.length)
      const { alter = identity } = deviations
      const authData = alter(
        Buffer.concat([
          authenticatorData(rp.id ?? '', credential.counter, deviations, flags.attestedCredential),
          Buffer.from(randomUUID().replaceAll('-', ''), 'hex'),
          length,
          rawId,
          encodeCbor(toCose(publicKey, algorithm)),
        ]),
      )
      const { fmt, attStmt } = deviations.format ?? { fmt: 'none', attStmt: new Map<CborKey, CborValue>() }
      const attestation = new Map<CborKey, CborValue>([
        ['fmt', fmt],
        ['attStmt', attStmt],
        ['authData', authData],
      ])
      return {
        ...common,
        id,
        rawId: id,
        response: {
          clientDataJSON: clientData('webauthn.create', challenge, deviations),
          attestationObject: base64url(encodeCbor(attestation)),
          transports: ['internal', 'hybrid'],
        },
      }
    },
    get({ challenge, rpId = '' }, deviations = {}) {
      const credential = deviations.credential ?? credentials.at(-1)
      if (!credential) throw new Error('the authenticator has no credential')
      if (counts) credential.counter += 1
      const counter = deviations.counter ?? credential.counter
      const { alter = identity } = deviations
      const authData = alter(authenticatorData(rpId, counter, deviations, 0))
      const clientDataJSON = clientData('webauthn.get', challenge, deviations)
      const signed = Buffer.concat([authData, sha256(Buffer.from(clientDataJSON, 'base64url'))])
      const userHandle = 'userHandle' in deviations ? deviations.userHandle : credential.userHandle
      const digest = credential.algorithm === 'EdDSA' ? null : 'sha256'
      return {
        ...common,
        id: credential.id,
        rawId: credential.id,
        response: {
          clientDataJSON,
          authenticatorData: base64url(authData),
          signature: base64url(sign(digest, signed, credential.privateKey)),
          ...(userHandle !== undefined && { userHandle }),
        },
      }
    },
  }
}

function identity(data: Buffer): Buffer {
  return data
}

function authenticatorData(rpId: string, counter: number, deviations: Deviations, more: number): Buffer {
  const { userPresent = true, userVerified = true, backupEligible = false } = deviations
  const rest = Buffer.alloc(5)
  rest[0] =
    more +
    (userPresent ? flags.userPresent : 0) +
    (userVerified ? flags.userVerified : 0) +
    (backupEligible ? flags.backupEligible : 0)
  rest.writeUInt32BE(counter, 1)
  return Buffer.concat([sha256(deviations.rpId ?? rpId), rest])
}

function generateKey(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** COSE_Key (RFC 9053 sections 2 and 7, RFC 8812). */
function toCose(publicKey: KeyObject, algorithm: Algorithm): ReadonlyMap<CborKey, CborValue> {
  const jwk: JsonWebKey = publicKey.export({ format: 'jwk' })
  const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
  // Labels: 1 kind of key, 3 algorithm, -1 and below its parameters.
  const keys: Record<Algorithm, Readonly<Record<string, CborValue>>> = {
    ES256: { 1: 2, 3: -7, '-1': 1, '-2': part(jwk.x), '-3': part(jwk.y) },
    EdDSA: { 1: 1, 3: -8, '-1': 6, '-2': part(jwk.x) },
    RS256: { 1: 3, 3: -257, '-1': part(jwk.n), '-2': part(jwk.e) },
  }
  return new Map(Object.entries(keys[algorithm]).map(([label, value]) => [Number(label), value]))
}

/** CBOR (RFC 8949), as much of it as there is in WebAuthn. */
export function encodeCbor(value: CborValue): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map) {
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [encodeCbor(k), encodeCbor(v)])])
  }
  const items = value as readonly CborValue[]
  return Buffer.concat([head(4, items.length), ...items.map(encodeCbor)])
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument])
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument])
  return Buffer.from([(major << 5) | 25, argument >> 8, argument & 0xff])
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}

function base64url(data: string | Uint8Array): string {
  return Buffer.from(data as Uint8Array).toString('base64url')
}
