import type { Member, Organisation } from '@sallyport/relay/client'
import { useId } from 'preact/hooks'
import { allUsers } from '../devices/owner-names.js'
import { useSession } from '../session.js'
import { FormDialog } from '../ui/dialog.js'
import { type FormFields, TextField } from '../ui/form.js'
import { invalid } from '../ui/problem.js'
import { useResource } from '../ui/resource.js'
import { say } from '../ui/say.js'
import { Loaded } from '../ui/states.js'
import { putMember } from './put-member.js'
import { type Role, RoleChoice, useRights } from './roles.js'

const uuid = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'

interface AddMemberProps {
  readonly organisation: Organisation
  readonly members: readonly Member[]
  readonly onAdded: (member: Member) => Promise<void>
  readonly onClose: () => void
}

/** By e-mail address for whoever may see users; for everyone else by the ID that the other tells them. */
export function AddMember({ organisation, members, onAdded, onClose }: AddMemberProps) {
  const { may } = useSession()
  const { owns } = useRights(organisation)
  const knowsUsers = may('users:read')
  const users = useResource(async () => (knowsUsers ? allUsers() : []))
  const list = useId()
  const add = async (fields: FormFields) => {
    const given = fields.text('userId').toLowerCase()
    const userId = given.includes('@') ? users.data?.find(({ email }) => email.toLowerCase() === given)?.id : given
    if (userId === undefined) throw invalid('userId', 'No user has this e-mail address.')
    if (members.some((member) => member.userId === userId)) throw invalid('userId', 'They are a member already.')
    const member = await putMember(organisation.id, userId, fields.text('role') as Role)
    await onAdded(member)
    say(`${member.name ?? member.email} is added.`)
  }
  return (
    <FormDialog title="Add a member" submit="Add member" onSubmit={add} onClose={onClose}>
      <Loaded resource={users} lines={2}>
        {(known) =>
          knowsUsers ? (
            <>
              <TextField
                label="User"
                name="userId"
                list={list}
                autocomplete="off"
                required
                pattern={`.+@.+|${uuid}`}
                title="An e-mail address, or a user ID"
                hint="Their e-mail address. Begin to type a name or an address, and choose."
                autoFocus
              />
              <datalist id={list}>
                {known
                  .filter(({ id, suspended }) => !suspended && !members.some(({ userId }) => userId === id))
                  .map(({ id, email, name }) => (
                    <option key={id} value={email}>
                      {name ?? email}
                    </option>
                  ))}
              </datalist>
            </>
          ) : (
            <TextField
              label="User ID"
              name="userId"
              autocomplete="off"
              spellcheck={false}
              required
              pattern={uuid}
              title="A user ID, such as 3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"
              hint="They find it on their own page “Organisations”, and can send it to you."
              autoFocus
            />
          )
        }
      </Loaded>
      <RoleChoice offersOwner={owns} value="member" />
    </FormDialog>
  )
}
