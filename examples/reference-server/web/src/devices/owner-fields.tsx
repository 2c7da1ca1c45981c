import type { Device, Organisation, User } from '@sallyport/relay/client'
import { useId } from 'preact/hooks'
import { useSession } from '../session.js'
import { Field, type FormFields, TextField } from '../ui/form.js'
import { invalid } from '../ui/problem.js'
import { useResource } from '../ui/resource.js'
import { allUsers, useOrganisations } from './owner-names.js'

export interface OwnerChoice {
  /** Undefined: the user may not see users, or they are not there yet. */
  readonly users: readonly User[] | undefined
  readonly organisations: readonly Organisation[]
}

/** As many as a browser shows in a list of suggestions without trouble. */
const mostSuggested = 500

export function useOwnerChoice(): OwnerChoice {
  const { may } = useSession()
  const mayRead = may('users:read')
  const users = useResource(async () => (mayRead ? allUsers() : undefined))
  const organisations = useOrganisations()
  return { users: users.data, organisations: organisations.data ?? [] }
}

/** Whose the device is to be, where there is a choice. */
export function OwnerFields({
  choice: { users, organisations },
  pending,
}: {
  choice: OwnerChoice
  pending: Device | undefined
}) {
  const id = useId()
  const asker = users?.find((user) => user.id === pending?.ownerId)
  const asked = organisations.find((organisation) => organisation.id === pending?.organisationId)
  const isRelay = pending?.kind === 'server'
  return (
    <>
      {users && (
        <>
          <TextField
            label="Owner"
            name="ownerId"
            list={id}
            hint={`An e-mail address. Left empty: ${asker ? `${asker.email}, who asked` : 'you'}.`}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={254}
          />
          <datalist id={id}>
            {users.slice(0, mostSuggested).map(({ id, email, name }) => (
              <option key={id} value={email}>
                {name}
              </option>
            ))}
          </datalist>
        </>
      )}
      {organisations.length > 0 && (
        <Field
          label="Organisation"
          name="organisationId"
          hint={isRelay ? 'Only its tunnels use the relay.' : 'Its owners and admins manage the device as well.'}
        >
          {(control) => (
            <select {...control}>
              <option value="">{asked ? `${asked.name}, as asked` : isRelay ? 'None: for everybody' : 'None'}</option>
              {organisations
                .filter((organisation) => organisation !== asked)
                .map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
            </select>
          )}
        </Field>
      )}
    </>
  )
}

/** @throws PanelProblem that marks the owner's field when there is no such user */
export function readOwner(fields: FormFields, { users }: OwnerChoice): { ownerId?: string; organisationId?: string } {
  const email = fields.text('ownerId').toLowerCase()
  const organisationId = fields.text('organisationId')
  const owner = users?.find((user) => user.email.toLowerCase() === email)
  if (email !== '' && !owner) throw invalid('ownerId', 'No user has this e-mail address.')
  return { ...(owner && { ownerId: owner.id }), ...(organisationId && { organisationId }) }
}
