import type { Device, Relay } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { isPending } from '../devices/kinds.js'
import { PendingDevice } from '../devices/pending-device.js'
import { useNow } from '../devices/use-now.js'
import { useLive } from '../live.js'
import { Awaited, Step, Steps } from '../start/step.js'
import { CopyBox } from '../ui/copy.js'
import { Dialog } from '../ui/dialog.js'
import { enrolRelayCommand } from './commands.js'
import { StartRelay } from './start-relay.js'

interface AddRelayProps {
  readonly devices: readonly Device[]
  readonly relays: readonly Relay[]
  readonly onClose: () => void
}

/** From a server with nothing but Node.js to a relay that is online; as soon as it is known which ones are there. */
export function AddRelay({ onClose }: Pick<AddRelayProps, 'onClose'>) {
  const { devices, relays } = useLive()
  return devices && relays ? <Adding devices={devices} relays={relays} onClose={onClose} /> : null
}

function Adding({ devices, relays, onClose }: AddRelayProps) {
  const now = useNow()
  const [before] = useState(() => new Set(devices.filter(({ approved }) => approved).map(({ id }) => id)))
  const servers = devices.filter(({ kind }) => kind === 'server')
  const pending = servers.filter((device) => isPending(device, now))
  const added = servers.filter(({ id, approved }) => approved && !before.has(id))
  const online = relays.find(({ id, online }) => online && added.some((device) => device.id === id))
  const hasAsked = pending.length > 0 || added.length > 0
  return (
    <Dialog title="Add a relay" onClose={onClose} wide>
      <div>
        <p class="text-light">
          A relay runs on a server with a public address, such as a small VPS, and needs nothing but Node.js 20.19 or
          newer.
        </p>
        <Steps level={3}>
          <Step
            title="Fetch the program and get a code"
            state={hasAsked ? 'done' : 'now'}
            summary="The server has asked this panel."
          >
            <p>
              On the server, run this. It asks for an <a href="/keys">API key</a> that may approve devices:{' '}
              <code>tunnels:approve</code>. In a script, give the key in <code>SALLYPORT_API_KEY</code>.
            </p>
            <CopyBox text={enrolRelayCommand()} label="Command for the server" />
          </Step>
          <Step
            title="Approve the relay"
            state={added.length > 0 ? 'done' : hasAsked ? 'now' : 'later'}
            summary={
              added.length > 0 ? `${added[0]?.name} is approved.` : 'The server appears here as soon as it asks.'
            }
          >
            {pending.map((device) => (
              <PendingDevice key={device.id} device={device} />
            ))}
          </Step>
          <Step
            title="Start the relay"
            state={online ? 'done' : added.length > 0 ? 'now' : 'later'}
            summary={online ? 'It is online.' : 'With its public name, by hand or as a service.'}
          >
            <StartRelay />
            <Awaited>Waiting for the relay to come online.</Awaited>
          </Step>
        </Steps>
        {!online && added.length === 0 && (
          <details class="quiet">
            <summary>The commands of the last step</summary>
            <div>
              <StartRelay />
            </div>
          </details>
        )}
        {online && (
          <p role="status" class="arrived">
            <strong class="name">{online.name}</strong> is online. New tunnels can use it.
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
