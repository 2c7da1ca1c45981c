import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A passkey in software (WebAuthn L3): ES256, attestation `none`. What a browser and its authenticator would refuse can be asked for. */
export interface SoftwarePasskey {
  readonly credentialId: string
  /** Answers creation options, as `PublicKeyCredential.toJSON()` does. */
  create(options: { readonly challenge: string; readonly user: { readonly id: string } }, lie?: Lie): object
  /** Answers request options. */
  get(options: { readonly challenge: string }, lie?: Lie): object
}

/** What to say in place of the truth. */
export interface Lie {
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  readonly challenge?: string
  readonly userVerified?: boolean
  readonly userPresent?: boolean
  readonly counter?: number
  readonly userHandle?: string | undefined
  readonly crossOrigin?: boolean
  readonly signature?: Buffer
}

const flags = { present: 0x01, verified: 0x04, attested: 0x40 }
const digest = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest()

/** @param origin the panel's public URL @param credentialId to pretend to be another's credential */
export function softwarePasskey(origin: string, credentialId: Buffer = randomBytes(32)): SoftwarePasskey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = credentialId.toString('base64url')
  let counter = 0
  let handle: string | undefined

  const clientData = (type: string, challenge: string, lie: Lie): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: lie.type ?? type,
        challenge: lie.challenge ?? challenge,
        origin: lie.origin ?? origin,
        crossOrigin: lie.crossOrigin ?? false,
      }),
    )
  const authenticatorData = (lie: Lie, attested?: Buffer): Buffer => {
    counter += 1
    const count = Buffer.alloc(4)
    count.writeUInt32BE(lie.counter ?? counter)
    const bits =
      ((lie.userPresent ?? true) ? flags.present : 0) |
      ((lie.userVerified ?? true) ? flags.verified : 0) |
      (attested ? flags.attested : 0)
    const rpId = digest(lie.rpId ?? new URL(origin).hostname)
    return Buffer.concat([rpId, Buffer.from([bits]), count, attested ?? Buffer.alloc(0)])
  }
  const credential = (response: object): object => ({
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response,
  })

  return {
    credentialId: id,
    create({ challenge, user }, lie = {}) {
      handle = user.id
      const length = Buffer.alloc(2)
      length.writeUInt16BE(credentialId.length)
      const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, coseKey(publicKey)])
      return credential({
        clientDataJSON: clientData('webauthn.create', challenge, lie).toString('base64url'),
        attestationObject: attestationObject(authenticatorData(lie, attested)).toString('base64url'),
        transports: ['internal'],
      })
    },
    get({ challenge }, lie = {}) {
      const clientDataJSON = clientData('webauthn.get', challenge, lie)
      const data = authenticatorData(lie)
      const signature = lie.signature ?? sign('sha256', Buffer.concat([data, digest(clientDataJSON)]), privateKey)
      const userHandle = 'userHandle' in lie ? lie.userHandle : handle
      return credential({
        clientDataJSON: clientDataJSON.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
        ...(userHandle !== undefined && { userHandle }),
      })
    },
  }
}

/** COSE_Key of an ES256 public key (RFC 9053 section 7.1.1), in CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const head = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01])
  const coordinate = (label: number, value: string) =>
    Buffer.concat([Buffer.from([label, 0x58, 32]), Buffer.from(value, 'base64url')])
  return Buffer.concat([head, coordinate(0x21, x), coordinate(0x22, y)])
}

/** CBOR of {fmt: "none", attStmt: {}, authData}. */
function attestationObject(authData: Buffer): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)])
  const length = Buffer.from([0x59, authData.length >> 8, authData.length & 0xff])
  return Buffer.concat([
    Buffer.from([0xa3]),
    text('fmt'),
    text('none'),
    text('attStmt'),
    Buffer.from([0xa0]),
    text('authData'),
    length,
    authData,
  ])
}
