import type { Device } from '@sallyport/relay/client'
import { CopyBox } from '../ui/copy.js'
import { ShownOnce } from '../ui/shown-once.js'

interface NewTokenShownProps {
  readonly device: Device
  readonly token: string
  readonly onClose: () => void
}

/** The token, and what to do with it on the machine. */
export function NewTokenShown({ device, token, onClose }: NewTokenShownProps) {
  const isRelay = device.kind === 'server'
  const program = isRelay ? 'relay' : 'agent'
  return (
    <ShownOnce
      title={`New token for ${device.name}`}
      confirm="The machine has the token, or I have stored it"
      onClose={onClose}
    >
      <p>It is shown only now.</p>
      <CopyBox text={token} label="Token" />
      <p>On the machine, put it in the place of the old one:</p>
      <ul>
        <li>
          Started by hand: in <code>.config/sallyport/agent.json</code>, in your home folder, replace the text behind{' '}
          <code>"token"</code>. Then start the {program} again as before.
        </li>
        <li>
          A service of the machine: the same in <code>/etc/sallyport/{program}.json</code>, then{' '}
          <code>sudo systemctl restart sallyport-{program}</code>.
        </li>
        <li>
          With <code>SALLYPORT_TOKEN</code>, as in a container: set it to the new token and start it again.
        </li>
      </ul>
    </ShownOnce>
  )
}
