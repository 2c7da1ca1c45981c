import { type RegistrationResponseJSON, startRegistration } from '@simplewebauthn/browser'
import { api, unwrap } from '../../api.js'
import { FormDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/form.js'
import { useFresh } from '../../ui/fresh.js'
import { wordsOfPasskey } from '../../ui/passkey.js'
import { reworded } from '../../ui/problem.js'
import { say } from '../../ui/say.js'
import { describeUserAgent } from '../sessions/user-agent.js'

interface AddPasskeyProps {
  readonly onAdded: () => unknown
  readonly onClose: () => void
}

export function AddPasskey({ onAdded, onClose }: AddPasskeyProps) {
  const withFresh = useFresh()
  return (
    <FormDialog
      title="Add a passkey"
      submit="Continue"
      onClose={onClose}
      onSubmit={async (fields) => {
        const name = fields.text('name')
        const optionsJSON = await withFresh(() =>
          unwrap(api.POST('/api/auth/passkey/register-challenge', { body: {} })),
        )
        const response = toAttestation(await create(optionsJSON))
        try {
          await withFresh(() => unwrap(api.POST('/api/auth/passkey/register', { body: { response, name } })))
        } catch (error) {
          throw reworded(error, {
            passkey_taken: 'This passkey is registered already.',
            passkey_refused: 'The panel did not accept it. It may have taken more than five minutes: try again.',
          })
        }
        say('The passkey is added. Sign in with it next time.')
        onAdded()
      }}
    >
      <p>
        Your browser asks next where to keep it: on this device, in a password manager, or on a phone or security key.
      </p>
      <TextField
        label="Name"
        name="name"
        hint="So that you know it again in the list."
        defaultValue={describeUserAgent(navigator.userAgent)}
        autocomplete="off"
        maxLength={200}
        required
        autoFocus
      />
    </FormDialog>
  )
}

async function create(
  optionsJSON: Parameters<typeof startRegistration>[0]['optionsJSON'],
): Promise<RegistrationResponseJSON> {
  try {
    return await startRegistration({ optionsJSON })
  } catch (error) {
    throw new Error(wordsOfPasskey(error, 'No passkey was made: it was cancelled or took too long.'))
  }
}

/** As the panel takes it: what extensions say is nobody's business. */
function toAttestation({ id, rawId, type, response }: RegistrationResponseJSON) {
  const { clientDataJSON, attestationObject, transports } = response
  return {
    id,
    rawId,
    type,
    response: { clientDataJSON, attestationObject, ...(transports && { transports: transports.map(String) }) },
    clientExtensionResults: {},
  }
}
