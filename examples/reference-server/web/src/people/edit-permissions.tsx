import { useSession } from '../session.js'
import { FormDialog } from '../ui/dialog.js'
import type { FormFields } from '../ui/form.js'
import { say } from '../ui/say.js'
import type { UserDialogProps } from './change-user.js'
import { chosenPermissions, PermissionChoice } from './permission-choice.js'
import { knownPermissions } from './permissions.js'
import { inWords } from './refusals.js'

export function EditPermissions({ user, isSelf, change, onClose }: UserDialogProps) {
  const { may } = useSession()
  const save = async (fields: FormFields) => {
    const permissions = chosenPermissions(fields)
    await inWords(change({ permissions }), {
      last_administrator: 'Nobody else may do everything. Give somebody else that permission first.',
    })
    say('The permissions are saved. They are in force now.')
  }
  return (
    <FormDialog title="Change permissions" submit="Save" onSubmit={save} onClose={onClose}>
      {isSelf && (
        <div role="alert" data-variant="warning">
          These are your own. What you take from yourself somebody else has to give back.
        </div>
      )}
      <PermissionChoice
        offered={knownPermissions.filter(({ name }) => may(name))}
        offersEverything={may('*')}
        value={user.permissions}
        hint="In force at once, for their API keys too. You can give what you hold yourself."
      />
    </FormDialog>
  )
}
