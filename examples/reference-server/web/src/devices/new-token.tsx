import type { Device } from '@sallyport/relay/client'
import { useRef, useState } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { FormDialog } from '../ui/dialog.js'
import { useFresh } from '../ui/fresh.js'
import { NewTokenShown } from './new-token-shown.js'

/** Asks first, then shows the token once. */
export function NewToken({ device, onClose }: { device: Device; onClose: () => void }) {
  const withFresh = useFresh()
  const made = useRef<string | undefined>(undefined)
  const [token, setToken] = useState<string>()
  const isRelay = device.kind === 'server'
  if (token !== undefined) return <NewTokenShown device={device} token={token} onClose={onClose} />
  return (
    <FormDialog
      title={`New token for ${device.name}`}
      submit="Make a new token"
      danger
      // After a submit that succeeded as well: then the token is there.
      onClose={() => (made.current === undefined ? onClose() : setToken(made.current))}
      onSubmit={async () => {
        const params = { path: { id: device.id } }
        const answer = await withFresh(() => unwrap(api.POST('/api/tunnel/devices/{id}/regenerate-token', { params })))
        made.current = answer.token
      }}
    >
      <p>
        The old token stops working at once: {isRelay ? 'the relay' : 'the agent'} on the machine is cut off
        {isRelay ? '' : ', with everyone who plays,'} and stays away until it is given the new one.
      </p>
      <p>Do this when the old token may be in other hands, or is lost. Tunnels and addresses stay as they are.</p>
    </FormDialog>
  )
}
