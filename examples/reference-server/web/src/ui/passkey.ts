import {
  type AuthenticationResponseJSON,
  browserSupportsWebAuthn,
  startAuthentication,
  WebAuthnError,
} from '@simplewebauthn/browser'
import { api, PanelProblem, unwrap } from '../api.js'

/** Browsers have passkeys on https and localhost only. */
export function canUsePasskeys(): boolean {
  return browserSupportsWebAuthn()
}

/** What the panel asks of a passkey; good for one answer and some minutes. */
export function passkeyChallenge() {
  return unwrap(api.POST('/api/auth/passkey/authenticate-challenge', { body: {} }))
}

/** What a passkey answered, as the panel takes it. */
export type PasskeyAssertion = Omit<
  AuthenticationResponseJSON,
  'clientExtensionResults' | 'authenticatorAttachment'
> & {
  readonly clientExtensionResults: Record<string, never>
}

/** The panel asks for no extension, and what they say is nobody's business. */
export function toAssertion({ id, rawId, type, response }: AuthenticationResponseJSON): PasskeyAssertion {
  return { id, rawId, type, response, clientExtensionResults: {} }
}

/**
 * Has the browser ask for a passkey.
 * @throws PanelProblem, or an `Error` with words for people
 */
export async function askForPasskey(): Promise<PasskeyAssertion> {
  const optionsJSON = await passkeyChallenge()
  try {
    return toAssertion(await startAuthentication({ optionsJSON }))
  } catch (error) {
    throw new Error(
      wordsOfPasskey(error, 'No passkey was used: it was cancelled, took too long, or there is none here.'),
    )
  }
}

/** Why a browser gave no passkey. */
export function wordsOfPasskey(error: unknown, cancelled: string): string {
  if (error instanceof PanelProblem) return error.detail
  const code = error instanceof WebAuthnError ? error.code : ''
  switch (code) {
    case 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED':
      return 'This device has a passkey for your account already. It is in the list.'
    case 'ERROR_AUTHENTICATOR_MISSING_DISCOVERABLE_CREDENTIAL_SUPPORT':
    case 'ERROR_AUTHENTICATOR_MISSING_USER_VERIFICATION_SUPPORT':
      return 'That device cannot keep a passkey: it needs a screen lock, a fingerprint or a PIN, and room for it.'
    case 'ERROR_INVALID_DOMAIN':
    case 'ERROR_INVALID_RP_ID':
      return "Passkeys work only at the panel's own address. Open the panel there."
    case 'ERROR_AUTHENTICATOR_GENERAL_ERROR':
      return 'The device could not do it. Try again, or use another one.'
  }
  return cancelled
}
