import type { Member, Organisation } from '@sallyport/relay/client'
import { useSession } from '../session.js'
import { Option } from '../ui/option.js'

export type Role = Member['role']

export const roles: readonly { readonly role: Role; readonly title: string; readonly about: string }[] = [
  { role: 'member', title: 'Member', about: 'Belongs to it, and sees the devices that they added themselves.' },
  { role: 'admin', title: 'Admin', about: 'Besides, manages its members, devices and tunnels.' },
  { role: 'owner', title: 'Owner', about: 'Besides, makes and removes owners, and can delete the organisation.' },
]

export function roleTitle(role: Role): string {
  return roles.find((one) => one.role === role)?.title ?? role
}

/** What the user may do with an organisation, as the panel will have it. */
export function useRights({ role }: Organisation) {
  const { may } = useSession()
  const writes = may('organisations:write')
  const owns = writes || role === 'owner'
  return { owns, manages: owns || role === 'admin', setsQuotas: writes }
}

interface RoleChoiceProps {
  /** Only owners make owners. */
  readonly offersOwner: boolean
  readonly value: Role
}

/** The field `role`. */
export function RoleChoice({ offersOwner, value }: RoleChoiceProps) {
  return (
    <fieldset>
      <legend>Role</legend>
      {roles
        .filter(({ role }) => offersOwner || role !== 'owner')
        .map(({ role, title, about }) => (
          <Option
            key={role}
            type="radio"
            name="role"
            value={role}
            title={title}
            about={about}
            defaultChecked={role === value}
          />
        ))}
    </fieldset>
  )
}
