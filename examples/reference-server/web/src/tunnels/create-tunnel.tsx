import type { Allocation, Device } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { api, PanelProblem, unwrap } from '../api.js'
import { useLive } from '../live.js'
import { Form, type FormFields, Submit } from '../ui/form.js'
import { Empty } from '../ui/states.js'
import { useMayChange } from './access.js'
import { explainRefusal } from './create-problems.js'
import { DeviceField } from './device-field.js'
import { GameFields } from './game-fields.js'
import type { Transport } from './games.js'
import { foldedFields, MoreFields } from './more-fields.js'
import { type OptionsChange, readOptions } from './option-values.js'
import { ProtocolField } from './protocol-field.js'

interface CreateTunnelProps {
  /** All that there are; those that can have a tunnel are offered. */
  readonly devices: readonly Device[]
  /** With what was made: one, or for TCP and UDP two on one number. */
  readonly onDone: (made: readonly Allocation[]) => void
  /** Shows a button for it. */
  readonly onCancel?: () => void
}

/** Asks for the three things that a tunnel needs. The rest is folded away. */
export function CreateTunnel({ devices, onDone, onCancel }: CreateTunnelProps) {
  const { apply, relays = [] } = useLive()
  const mayChange = useMayChange()
  const [protocol, setProtocol] = useState<Transport>('tcp')
  const [isMoreOpen, setMoreOpen] = useState(false)
  const own = devices.filter((device) => device.kind === 'client' && mayChange(device))
  const usable = own.filter(({ approved }) => approved)
  const regions = [...new Set(relays.flatMap(({ region }) => region ?? []))].sort()
  if (usable.length === 0) return <NoDevice waiting={own.length > 0} />

  const create = async (fields: FormFields) => {
    try {
      const made = await ask(fields)
      apply('allocations', { items: made })
      // Who has closed it meanwhile is elsewhere.
      if (fields.element.isConnected) onDone(made)
    } catch (error) {
      const asked = { port: fields.number('port'), hasRegions: regions.length > 0, textOf: fields.raw }
      const explained = explainRefusal(error, asked)
      if (isFolded(explained)) setMoreOpen(true)
      throw explained
    }
  }

  return (
    <Form onSubmit={create} label="New tunnel" class="create-tunnel">
      <div>
        <DeviceField devices={usable} />
        <GameFields onGame={(game) => setProtocol(game.protocol)} />
        <ProtocolField value={protocol} onChange={setProtocol} />
        <MoreFields isOpen={isMoreOpen} setOpen={setMoreOpen} regions={regions} hasUdp={protocol !== 'tcp'} />
      </div>
      <footer>
        {onCancel && (
          <button type="button" class="outline" onClick={onCancel}>
            Cancel
          </button>
        )}
        <Submit>Create tunnel</Submit>
      </footer>
    </Form>
  )
}

async function ask(fields: FormFields): Promise<readonly Allocation[]> {
  const [localHost, name, region] = [fields.text('localHost'), fields.text('name'), fields.text('region')]
  const port = fields.number('port')
  const options = readOptions(fields)
  const answer = await unwrap(
    api.POST('/api/tunnel/allocations', {
      body: {
        deviceId: fields.text('deviceId'),
        localPort: fields.number('localPort') ?? 0,
        protocol: fields.text('protocol') as Transport,
        ...(localHost && { localHost }),
        ...(port !== undefined && { port }),
        ...(name && { name }),
        ...(region && { region }),
        ...(Object.keys(options).length > 0 && { options: options as WithoutNull<OptionsChange> }),
      },
    }),
  )
  return 'allocations' in answer ? answer.allocations : [answer.allocation]
}

/** Of a tunnel that is new nothing is lifted. */
type WithoutNull<T> = { [Key in keyof T]: Exclude<T[Key], null> }

function isFolded(error: unknown): boolean {
  return (
    error instanceof PanelProblem &&
    error.errors.some(({ path }) => foldedFields.some((field) => path.includes(`/${field}`)))
  )
}

function NoDevice({ waiting }: { waiting: boolean }) {
  return (
    <Empty title={waiting ? 'Your device waits for approval' : 'Connect a device first'}>
      <p>
        {waiting
          ? 'A tunnel leads to a device that is approved. Approve it by the code that it shows; then you can make a tunnel to it.'
          : 'A tunnel leads to a machine of yours that runs the agent. Connect that machine; then you can make a tunnel to it.'}
      </p>
      <p>
        <a class="button" href={waiting ? '/tunnel/verify' : '/devices'}>
          {waiting ? 'Enter the code' : 'Go to devices'}
        </a>
      </p>
    </Empty>
  )
}
