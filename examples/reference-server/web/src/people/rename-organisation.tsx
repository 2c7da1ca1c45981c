import type { Organisation } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import { type FormFields, TextField } from '../ui/form.js'
import { say } from '../ui/say.js'
import { maxNameLength } from './limits.js'

interface RenameOrganisationProps {
  readonly organisation: Organisation
  readonly onRenamed: (organisation: Organisation) => void
  readonly onClose: () => void
}

export function RenameOrganisation({ organisation: { id, name }, onRenamed, onClose }: RenameOrganisationProps) {
  const rename = async (fields: FormFields) => {
    const body = { name: fields.text('name') }
    const { organisation } = await unwrap(api.PATCH('/api/organisations/{id}', { params: { path: { id } }, body }))
    onRenamed(organisation)
    say('The name is changed.')
  }
  return (
    <FormDialog title="Rename the organisation" submit="Save" onSubmit={rename} onClose={onClose}>
      <TextField label="Name" name="name" required maxLength={maxNameLength} defaultValue={name} autoFocus />
    </FormDialog>
  )
}
