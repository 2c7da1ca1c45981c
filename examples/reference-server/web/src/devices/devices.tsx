import type { Device } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useLive } from '../live.js'
import { LiveLists } from '../ui/live-lists.js'
import { Page } from '../ui/page.js'
import { Empty } from '../ui/states.js'
import { AddDevice } from './add-device.js'
import { DeleteDevice } from './delete-device.js'
import { type DeviceAction, DeviceTable } from './device-table.js'
import { isPending } from './kinds.js'
import { NewToken } from './new-token.js'
import { RenameDevice } from './rename-device.js'
import { useNow } from './use-now.js'

/** Machines that this panel knows: agents at home, and relays. */
export function Devices() {
  const { state } = useLive()
  const [adding, setAdding] = useState(false)
  const [doing, setDoing] = useState<{ action: DeviceAction; device: Device }>()
  const now = useNow()
  const close = () => setDoing(undefined)
  return (
    <Page
      title="Devices"
      actions={
        state !== 'disabled' && (
          <button type="button" onClick={() => setAdding(true)}>
            Add a device
          </button>
        )
      }
    >
      <LiveLists>
        {({ devices }) => {
          const known = devices.filter((device) => device.approved || isPending(device, now))
          return (
            <section class="card section" aria-label="Devices">
              {known.length === 0 ? (
                <Empty title="No devices yet">
                  <p class="text-light">
                    A device is a machine that runs the agent, such as the one at home with your game server. Tunnels
                    lead to it.
                  </p>
                  <button type="button" onClick={() => setAdding(true)}>
                    Add the first device
                  </button>
                </Empty>
              ) : (
                <DeviceTable devices={known} onAction={(action, device) => setDoing({ action, device })} />
              )}
            </section>
          )
        }}
      </LiveLists>
      {adding && <AddDevice onClose={() => setAdding(false)} />}
      {doing?.action === 'rename' && <RenameDevice device={doing.device} onClose={close} />}
      {doing?.action === 'token' && <NewToken device={doing.device} onClose={close} />}
      {doing?.action === 'delete' && <DeleteDevice device={doing.device} onClose={close} />}
    </Page>
  )
}
