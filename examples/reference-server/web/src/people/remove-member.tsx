import type { Member, Organisation } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import { say } from '../ui/say.js'
import { lastOwner } from './put-member.js'
import { inWords } from './refusals.js'

interface RemoveMemberProps {
  readonly organisation: Organisation
  readonly member: Member
  readonly isSelf: boolean
  readonly onRemoved: (userId: string) => Promise<void>
  readonly onClose: () => void
}

export function RemoveMember({ organisation, member, isSelf, onRemoved, onClose }: RemoveMemberProps) {
  const { userId } = member
  const who = member.name ?? member.email
  const remove = async () => {
    const path = { id: organisation.id, userId }
    await inWords(unwrap(api.DELETE('/api/organisations/{id}/members/{userId}', { params: { path } })), lastOwner)
    say(isSelf ? `You have left ${organisation.name}.` : `${who} is removed.`)
    await onRemoved(userId)
  }
  return (
    <FormDialog
      title={isSelf ? `Leave ${organisation.name}?` : `Remove ${who}?`}
      submit={isSelf ? 'Leave' : 'Remove'}
      danger
      onSubmit={remove}
      onClose={onClose}
    >
      <p>
        {isSelf
          ? 'You will no longer see its devices and tunnels. Those that you added stay there and go on. Only an owner or admin can let you in again.'
          : `They will no longer see the devices and tunnels of ${organisation.name}. Those that they added stay there and go on.`}
      </p>
    </FormDialog>
  )
}
