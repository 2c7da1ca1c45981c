import type { Device } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { useLive } from '../live.js'
import { FormDialog } from '../ui/dialog.js'
import { TextField } from '../ui/form.js'
import { say } from '../ui/say.js'

export function RenameDevice({ device, onClose }: { device: Device; onClose: () => void }) {
  const { apply } = useLive()
  return (
    <FormDialog
      title={`Rename ${device.name}`}
      submit="Rename"
      onClose={onClose}
      onSubmit={async (fields) => {
        const params = { path: { id: device.id } }
        const body = { name: fields.text('name') }
        const answer = await unwrap(api.PATCH('/api/tunnel/devices/{id}', { params, body }))
        apply('devices', { items: [answer.device] })
        say(`Renamed to ${answer.device.name}`)
      }}
    >
      <TextField
        label="Name"
        name="name"
        hint="For people. Nothing changes on the machine."
        defaultValue={device.name}
        maxLength={100}
        autocomplete="off"
        required
        autoFocus
      />
    </FormDialog>
  )
}
