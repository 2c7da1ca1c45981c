import type { DirectoryUser } from '@sallyport/core'
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { withoutAttestation } from './attestation.js'
import {
  algorithms,
  type CeremonyOptions,
  challengeBytes,
  challengeTtlSeconds,
  detailOf,
  type Refusal,
  refused,
} from './ceremony.js'
import { readClientData } from './client-data.js'
import type { Addition, NewPasskey } from './passkey-store.js'
import type { RegistrationResponse } from './response-schema.js'
import { loadWebAuthn } from './webauthn.js'

/** Making passkeys (WebAuthn L3 section 7.1). */
export interface Registration {
  /** What `navigator.credentials.create` is given; a user's earlier challenge ends. */
  options(user: DirectoryUser): Promise<PublicKeyCredentialCreationOptionsJSON>
  /** Stores what it gave, if it is an answer to this user's challenge. */
  complete(userId: string, response: RegistrationResponse, name: string): Promise<Addition | Refusal>
  /** Ends a user's challenge. */
  cancel(userId: string): Promise<void>
}

const purpose = 'passkey-registration'
/** A COSE_Key of RSA with 4,096 bits has some 530 bytes. */
const maxPublicKeyBytes = 1_024

export function createRegistration({ oneTimeTokens, store, relyingParty }: CeremonyOptions): Registration {
  const verify = async (challenge: string, response: RegistrationResponse): Promise<Omit<NewPasskey, keyof Own>> => {
    const { id, origins } = relyingParty()
    const { attestationObject, clientDataJSON, transports = [] } = response.response
    const { verifyRegistrationResponse } = await loadWebAuthn()
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        response: { clientDataJSON, attestationObject: await withoutAttestation(attestationObject) },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: id,
      requireUserPresence: true,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    })
    if (!verified) throw new Error('It is not verified')
    const { credential, credentialDeviceType, credentialBackedUp, aaguid } = registrationInfo
    if (credential.id !== response.id) throw new Error('The credential has another id than the response')
    if (credential.publicKey.byteLength > maxPublicKeyBytes) throw new Error('The public key is too large')
    return {
      credentialId: credential.id,
      publicKey: credential.publicKey,
      counter: credential.counter,
      transports: [...new Set(transports)],
      deviceType: credentialDeviceType,
      backedUp: credentialBackedUp,
      aaguid,
    }
  }

  return {
    async options(user) {
      const [handle, passkeys] = [await store.handle(user.id), await store.list(user.id)]
      const challenge = { subject: user.id, ttlSeconds: challengeTtlSeconds, replace: true }
      const { token } = await oneTimeTokens.issue(purpose, challenge)
      const { id, name } = relyingParty()
      const { generateRegistrationOptions } = await loadWebAuthn()
      return generateRegistrationOptions({
        rpID: id,
        rpName: name,
        userID: challengeBytes(handle),
        userName: user.email,
        userDisplayName: user.name ?? user.email,
        challenge: challengeBytes(token),
        timeout: challengeTtlSeconds * 1000,
        attestationType: 'none',
        // Discoverable and verified: so that it does without an e-mail address and without a second factor.
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        excludeCredentials: passkeys.map(({ credentialId, transports }) => ({
          id: credentialId,
          transports: [...transports],
        })),
        supportedAlgorithmIDs: [...algorithms],
      })
    },
    async complete(userId, response, name) {
      const clientData = readClientData(response.response.clientDataJSON)
      if (!clientData) return refused('client-data')
      const challenge = await oneTimeTokens.redeem(purpose, clientData.challenge)
      if (challenge?.subject !== userId) return refused('challenge')
      let credential: Omit<NewPasskey, keyof Own>
      try {
        credential = await verify(clientData.challenge, response)
      } catch (error) {
        return refused('verification', { detail: detailOf(error) })
      }
      return store.add({ ...credential, userId, name })
    },
    cancel: (userId) => oneTimeTokens.revoke(purpose, userId),
  }
}

/** What is not the credential's. */
interface Own {
  readonly userId: string
  readonly name: string
}
