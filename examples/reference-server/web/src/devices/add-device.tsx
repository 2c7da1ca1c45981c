import type { Device } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useLive } from '../live.js'
import { ApproveStep } from '../start/approve-step.js'
import { StartAgentStep } from '../start/start-agent-step.js'
import { Step, Steps } from '../start/step.js'
import { Dialog } from '../ui/dialog.js'
import { EnrolCommand } from './enrol-command.js'
import { isAgent, isPending } from './kinds.js'
import { useNow } from './use-now.js'

interface AddDeviceProps {
  readonly devices: readonly Device[]
  readonly onClose: () => void
}

/** The first steps once more, for a device that is not there yet; as soon as it is known which ones are. */
export function AddDevice({ onClose }: Pick<AddDeviceProps, 'onClose'>) {
  const { devices } = useLive()
  return devices ? <Adding devices={devices} onClose={onClose} /> : null
}

function Adding({ devices, onClose }: AddDeviceProps) {
  const now = useNow()
  const [before] = useState(() => new Set(devices.filter(isAgent).map(({ id }) => id)))
  const pending = devices.filter((device) => isPending(device, now) && device.kind === 'client')
  const added = devices.filter((device) => isAgent(device) && !before.has(device.id))
  const online = added.find((device) => device.online)
  const asked = pending.length > 0 || added.length > 0
  return (
    <Dialog title="Add a device" onClose={onClose} wide>
      <div>
        <Steps level={3}>
          <Step title="Fetch the agent and get a code" state={asked ? 'done' : 'now'}>
            <EnrolCommand />
          </Step>
          <ApproveStep pending={pending} approved={added} isNow={added.length === 0} isReady={asked} />
          <StartAgentStep devices={added} isNow={added.length > 0} />
        </Steps>
        {online && (
          <p role="status">
            <strong class="name">{online.name}</strong> is online. <a href="/tunnels">Create a tunnel to it</a>
          </p>
        )}
      </div>
      <footer>
        <button type="button" class={online ? '' : 'outline'} onClick={onClose}>
          {online ? 'Done' : 'Close'}
        </button>
      </footer>
    </Dialog>
  )
}
