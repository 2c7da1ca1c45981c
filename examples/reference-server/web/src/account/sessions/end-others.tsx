import { api, unwrap } from '../../api.js'
import { FormDialog } from '../../ui/dialog.js'
import { plural } from '../../ui/format.js'
import { useFresh } from '../../ui/fresh.js'
import { say } from '../../ui/say.js'

interface EndOthersProps {
  readonly count: number
  readonly onEnded: () => unknown
  readonly onClose: () => void
}

export function EndOthers({ count, onEnded, onClose }: EndOthersProps) {
  const withFresh = useFresh()
  return (
    <FormDialog
      title="End all other sessions"
      submit="End them"
      danger
      onClose={onClose}
      onSubmit={async () => {
        const { revoked } = await withFresh(() => unwrap(api.DELETE('/api/auth/sessions')))
        say(revoked === 1 ? 'One session has ended.' : `${revoked} sessions have ended.`)
        await onEnded()
      }}
    >
      <p>
        {plural(count, 'session')} {count === 1 ? 'ends' : 'end'} at once: whoever uses {count === 1 ? 'it' : 'them'}{' '}
        must sign in again. You stay signed in here. API keys and devices are not touched.
      </p>
    </FormDialog>
  )
}
