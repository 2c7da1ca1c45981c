import type { Organisation } from '@sallyport/relay/client'
import { useLocation } from 'preact-iso/router'
import { api, unwrap } from '../api.js'
import { useSession } from '../session.js'
import { FormDialog } from '../ui/dialog.js'
import { plural } from '../ui/format.js'
import { say } from '../ui/say.js'
import { TunnelsLost } from './tunnels-lost.js'

interface DeleteOrganisationProps {
  readonly organisation: Organisation
  /** How many. */
  readonly members: number
  readonly onClose: () => void
}

export function DeleteOrganisation({ organisation: { id, name }, members, onClose }: DeleteOrganisationProps) {
  const { route } = useLocation()
  const { reload } = useSession()
  const remove = async () => {
    await unwrap(api.DELETE('/api/organisations/{id}', { params: { path: { id } } }))
    await reload()
    say(`${name} is deleted.`)
    if (location.pathname === `/organisations/${id}`) route('/organisations')
  }
  return (
    <FormDialog title={`Delete ${name}?`} submit="Delete organisation" danger onSubmit={remove} onClose={onClose}>
      <p>
        Its devices go with all their tunnels, whoever added them; players are cut off.{' '}
        <TunnelsLost of={{ organisationId: id }} />
      </p>
      <p>{plural(members, 'member')} will no longer be in it. Their accounts stay. This cannot be undone.</p>
    </FormDialog>
  )
}
