import type { DirectoryUser } from '@sallyport/core'
import { addressKey } from '@sallyport/core'
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import { authErrors } from '../../errors.js'
import type { SignInRequest } from '../../sign-in/sign-in.js'
import {
  type CeremonyOptions,
  challengeBytes,
  challengeTtlSeconds,
  detailOf,
  type Refusal,
  refused,
} from './ceremony.js'
import { readClientData } from './client-data.js'
import type { Passkey } from './passkey-store.js'
import type { AssertionResponse } from './response-schema.js'
import { loadWebAuthn } from './webauthn.js'

/** Whose passkey it is, once that is certain. */
export interface Proven {
  readonly kind: 'proven'
  readonly user: DirectoryUser
  readonly passkey: Passkey
}

/** Proving by a passkey who one is (WebAuthn L3 section 7.2). */
export interface Authentication {
  /**
   * What `navigator.credentials.get` is given. It never says which credentials there are: passkeys are discoverable, so
   * a browser finds them by itself, and an e-mail address is not even looked up.
   * @param email whose passkey alone will do
   */
  options(email: string | undefined): Promise<PublicKeyCredentialRequestOptionsJSON>
  /**
   * Finds out whose passkey signed. The user comes from what is stored about the credential, nothing else.
   * @throws `AUTH_ERR_TOO_MANY_ATTEMPTS` (429) when too many from the address have been refused
   */
  prove(response: AssertionResponse, request: SignInRequest): Promise<Proven | Refusal>
}

/** What is known of a challenge. */
interface Challenge {
  readonly email: string | null
}

const purpose = 'passkey-authentication'

export function createAuthentication(options: CeremonyOptions): Authentication {
  const { audit, logger, oneTimeTokens, rateLimits, store, users, attempts, relyingParty } = options

  const verify = async (challenge: string, response: AssertionResponse, { credentialId, publicKey }: Passkey) => {
    const { id, origins } = relyingParty()
    const { clientDataJSON, authenticatorData, signature } = response.response
    const { verifyAuthenticationResponse } = await loadWebAuthn()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: id,
      requireUserVerification: true,
      // Counter 0: whether it has gone back is asked of the database, once the signature is known to be right.
      credential: { id: credentialId, publicKey: new Uint8Array(publicKey), counter: 0 },
    })
    if (!verified) throw new Error('The signature is not valid')
    return authenticationInfo
  }

  const reportRegression = async (passkey: Passkey, counter: number, request: SignInRequest): Promise<void> => {
    const { ip, requestId } = request
    const { id, userId } = passkey
    logger.warn(
      { passkeyId: id, userId, stored: passkey.counter, received: counter },
      'the counter of a passkey went back',
    )
    await audit.record({
      action: 'passkey.counter-regressed',
      target: { type: 'passkey', id },
      ip,
      requestId,
      data: { userId, stored: passkey.counter, received: counter },
    })
  }

  const prove = async (response: AssertionResponse, request: SignInRequest): Promise<Proven | Refusal> => {
    const clientData = readClientData(response.response.clientDataJSON)
    if (!clientData) return refused('client-data')
    // First of all, so that it is gone whatever becomes of the rest.
    const challenge = await oneTimeTokens.redeem<Challenge>(purpose, clientData.challenge)
    if (!challenge) return refused('challenge')
    const found = await store.findByCredentialId(response.id)
    if (!found) return refused('unknown-credential')
    const { passkey, handle } = found
    const { userId } = passkey
    const { userHandle } = response.response
    if (userHandle !== undefined && userHandle !== handle) return refused('user-handle', { userId })

    let info: Awaited<ReturnType<typeof verify>>
    try {
      info = await verify(clientData.challenge, response, passkey)
    } catch (error) {
      return refused('verification', { userId, detail: detailOf(error) })
    }
    if (info.credentialDeviceType !== passkey.deviceType) return refused('backup-eligibility', { userId })

    const user = await users.findById(userId)
    if (!user) return refused('unknown-user', { userId })
    if (user.suspended) return refused('suspended', { userId })
    const { email } = challenge.data
    if (email !== null && (await users.findByEmail(email))?.id !== user.id) {
      return refused('another-user', { userId, email })
    }

    const counter = info.newCounter
    const use = await store.use(passkey.id, { counter, backedUp: info.credentialBackedUp })
    if (use === 'stale-counter') await reportRegression(passkey, counter, request)
    return use === 'used' ? { kind: 'proven', user, passkey } : refused(use, { userId })
  }

  return {
    async options(email) {
      const challenge: Challenge = { email: email ?? null }
      const { token } = await oneTimeTokens.issue(purpose, { data: challenge, ttlSeconds: challengeTtlSeconds })
      const { generateAuthenticationOptions } = await loadWebAuthn()
      return generateAuthenticationOptions({
        rpID: relyingParty().id,
        challenge: challengeBytes(token),
        timeout: challengeTtlSeconds * 1000,
        userVerification: 'required',
        allowCredentials: [],
      })
    },
    async prove(response, request) {
      const address = addressKey(request.ip)
      const decision = await rateLimits.consume(attempts, address)
      if (!decision.allowed) throw authErrors.TOO_MANY_ATTEMPTS(undefined, { retryAfter: decision.retryAfterSeconds })
      let proof: Proven | Refusal | undefined
      try {
        proof = await prove(response, request)
        return proof
      } finally {
        // A passkey that was right has its point back, and so has a fault of ours.
        if (proof?.kind !== 'refused') await rateLimits.refund(attempts, address)
      }
    },
  }
}
