import type { Member, Organisation } from '@sallyport/relay/client'
import { FormDialog } from '../ui/dialog.js'
import type { FormFields } from '../ui/form.js'
import { say } from '../ui/say.js'
import { putMember } from './put-member.js'
import { type Role, RoleChoice, useRights } from './roles.js'

interface ChangeRoleProps {
  readonly organisation: Organisation
  readonly member: Member
  readonly onChanged: (member: Member) => Promise<void>
  readonly onClose: () => void
}

export function ChangeRole({ organisation, member, onChanged, onClose }: ChangeRoleProps) {
  const { owns } = useRights(organisation)
  const save = async (fields: FormFields) => {
    await onChanged(await putMember(organisation.id, member.userId, fields.text('role') as Role))
    say('The role is changed.')
  }
  return (
    <FormDialog title={`Role of ${member.name ?? member.email}`} submit="Save" onSubmit={save} onClose={onClose}>
      <RoleChoice offersOwner={owns} value={member.role} />
    </FormDialog>
  )
}
