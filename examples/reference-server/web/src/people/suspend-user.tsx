import { FormDialog } from '../ui/dialog.js'
import { say } from '../ui/say.js'
import type { UserDialogProps } from './change-user.js'
import { inWords } from './refusals.js'
import { TunnelsLost } from './tunnels-lost.js'

export function SuspendUser({ user, isSelf, change, onClose }: UserDialogProps) {
  const suspend = async () => {
    await inWords(change({ suspended: true }), {
      last_administrator: 'They are the only one who may do everything. Give somebody else that permission first.',
    })
    say('The user is suspended.')
  }
  return (
    <FormDialog
      title={`Suspend ${user.name ?? user.email}?`}
      submit="Suspend"
      danger
      onSubmit={suspend}
      onClose={onClose}
    >
      {isSelf && <OwnAccount />}
      <p>They cannot sign in until the suspension is lifted. At once, and for good, end:</p>
      <ul>
        <li>every session of theirs,</li>
        <li>every API key of theirs,</li>
        <li>
          every tunnel of their devices; players are cut off. <TunnelsLost of={{ ownerId: user.id }} />
        </li>
      </ul>
      <p>
        Lifting the suspension brings none of this back. Their devices stay listed and need a new token then. Their
        organisations stay as they are.
      </p>
    </FormDialog>
  )
}

export function LiftSuspension({ user, change, onClose }: UserDialogProps) {
  const lift = async () => {
    await change({ suspended: false })
    say('The suspension is lifted.')
  }
  return (
    <FormDialog
      title={`Let ${user.name ?? user.email} in again?`}
      submit="Lift suspension"
      onSubmit={lift}
      onClose={onClose}
    >
      <p>
        They can sign in again with their password. API keys and tunnels that ended do not come back: they make new
        ones, and give each device a new token.
      </p>
    </FormDialog>
  )
}

export function OwnAccount() {
  return (
    <div role="alert" data-variant="warning">
      This is your own account. You will be signed out at once.
    </div>
  )
}
