import type { Device } from '@sallyport/relay/client'
import { CreateTunnel } from '../tunnels/create-tunnel.js'
import { Step } from './step.js'

interface CreateStepProps {
  /** Agents that are online. */
  readonly devices: readonly Device[]
  readonly hasTunnel: boolean
}

export function CreateStep({ devices, hasTunnel }: CreateStepProps) {
  const state = hasTunnel ? 'done' : devices.length > 0 ? 'now' : 'later'
  const summary = hasTunnel ? 'The tunnel is there.' : 'The device, the port of your game server, and its protocol.'
  return (
    <Step title="Create the tunnel" state={state} summary={summary}>
      {/* It shows at once: the list is told what was made. */}
      <CreateTunnel devices={devices} onDone={() => undefined} />
    </Step>
  )
}
