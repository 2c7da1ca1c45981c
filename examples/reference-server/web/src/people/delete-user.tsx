import { useLocation } from 'preact-iso/router'
import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import { say } from '../ui/say.js'
import type { UserDialogProps } from './change-user.js'
import { inWords } from './refusals.js'
import { OwnAccount } from './suspend-user.js'
import { TunnelsLost } from './tunnels-lost.js'

export function DeleteUser({ user, isSelf, onClose }: UserDialogProps) {
  const { route } = useLocation()
  const remove = async () => {
    await inWords(unwrap(api.DELETE('/api/users/{id}', { params: { path: { id: user.id } } })), {
      last_owner:
        'They are the only owner of an organisation that has other members. Make one of those an owner, or delete the organisation, and try again.',
      last_administrator: 'They are the only one who may do everything. Give somebody else that permission first.',
    })
    say(`${user.name ?? user.email} is deleted.`)
    if (location.pathname === `/users/${user.id}`) route('/users')
  }
  return (
    <FormDialog
      title={`Delete ${user.name ?? user.email}?`}
      submit="Delete user"
      danger
      onSubmit={remove}
      onClose={onClose}
    >
      {isSelf && <OwnAccount />}
      <p>With the account of {user.email} go, at once and for good:</p>
      <ul>
        <li>their sessions, passkeys and API keys,</li>
        <li>
          their devices with all tunnels; players are cut off. <TunnelsLost of={{ ownerId: user.id }} />
        </li>
        <li>organisations that have no other member, with all devices in them.</li>
      </ul>
      <p>
        Devices that they added to an organisation with other members stay there, without their tunnels. This cannot be
        undone.
      </p>
    </FormDialog>
  )
}
