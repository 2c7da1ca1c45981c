import type { Passkey } from '@sallyport/relay/client'
import { api, unwrap } from '../../api.js'
import { FormDialog } from '../../ui/dialog.js'
import { useFresh } from '../../ui/fresh.js'
import { passkeyChallenge } from '../../ui/passkey.js'
import { isRefused } from '../../ui/problem.js'
import { say } from '../../ui/say.js'

interface RemovePasskeyProps {
  readonly passkey: Passkey
  /** None is left afterwards. */
  readonly isLast: boolean
  readonly hasSecondFactor: boolean
  readonly onRemoved: () => unknown
  readonly onClose: () => void
}

export function RemovePasskey({ passkey, isLast, hasSecondFactor, onRemoved, onClose }: RemovePasskeyProps) {
  const { id, name, credentialId } = passkey
  const withFresh = useFresh()
  return (
    <FormDialog
      title="Remove passkey"
      submit="Remove"
      danger
      onClose={onClose}
      onSubmit={async () => {
        try {
          await withFresh(() => unwrap(api.DELETE('/api/auth/passkeys/{id}', { params: { path: { id } } })))
        } catch (error) {
          // It has been removed in the meantime.
          if (!isRefused(error, 'not_found')) throw error
        }
        void forget(credentialId)
        say('The passkey is removed.')
        await onRemoved()
      }}
    >
      <p>
        <bdi class="long">
          <strong>{name}</strong>
        </bdi>{' '}
        no longer signs you in. Sessions that it has begun go on.
      </p>
      {isLast && (
        <p class="notice" data-variant="warning">
          It is your only passkey. Afterwards your password{hasSecondFactor && ', with a code of your app,'} is the only
          way in: make sure that you know it.
        </p>
      )}
      <p class="text-light hint">If the device goes on offering it, delete it there too.</p>
    </FormDialog>
  )
}

/** Tells the browser's own list, where it can be told (WebAuthn L3, section 5.1.10.2). */
async function forget(credentialId: string): Promise<void> {
  if (!('signalUnknownCredential' in PublicKeyCredential)) return
  try {
    const { rpId } = await passkeyChallenge()
    await (PublicKeyCredential as unknown as Signals).signalUnknownCredential({ rpId, credentialId })
  } catch {
    // It is removed all the same.
  }
}

interface Signals {
  signalUnknownCredential(options: { rpId: string; credentialId: string }): Promise<void>
}
