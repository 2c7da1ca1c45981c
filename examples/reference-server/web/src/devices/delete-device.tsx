import type { Allocation, Device } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { useLive, useTraffic, useTrafficOf } from '../live.js'
import { FormDialog } from '../ui/dialog.js'
import { address, plural } from '../ui/format.js'
import { say } from '../ui/say.js'

interface DeleteDeviceProps {
  readonly device: Device
  readonly onClose: () => void
}

const mostShown = 50

/** Says exactly what goes with it, as it is at this moment. */
export function DeleteDevice({ device, onClose }: DeleteDeviceProps) {
  const { allocations = [], apply } = useLive()
  const isRelay = device.kind === 'server'
  const own = allocations.filter(({ deviceId, relayId }) => (isRelay ? relayId : deviceId) === device.id)
  return (
    <FormDialog
      title={`Delete ${device.name}`}
      submit={device.approved ? 'Delete the device' : 'Delete the request'}
      danger
      onClose={onClose}
      onSubmit={async () => {
        await unwrap(api.DELETE('/api/tunnel/devices/{id}', { params: { path: { id: device.id } } }))
        apply('devices', { removed: [device.id] })
        if (!isRelay) apply('allocations', { removed: own.map(({ id }) => id) })
        say(`${device.name} is deleted`)
      }}
    >
      <p>{consequence(device)}</p>
      {own.length > 0 ? (
        <>
          <p>
            <strong>
              {isRelay ? 'It serves' : 'Deleted with it:'} {plural(own.length, 'tunnel')}
              <Players allocations={own} />.
            </strong>{' '}
            {isRelay
              ? 'They are cut. Another relay of the same group takes them over if there is one, else they stay offline.'
              : 'Their public addresses are given up, and somebody else may get them.'}
          </p>
          <ul class="cut-list">
            {own.slice(0, mostShown).map((allocation) => (
              <CutTunnel key={allocation.id} allocation={allocation} />
            ))}
          </ul>
          {own.length > mostShown && <p class="text-light">And {plural(own.length - mostShown, 'other')}.</p>}
        </>
      ) : (
        device.approved && <p>{isRelay ? 'No tunnel that you can see is served by it.' : 'It has no tunnels.'}</p>
      )}
    </FormDialog>
  )
}

function consequence({ approved, kind }: Device): string {
  if (!approved) return 'It waits for approval. The machine is told that its code is not good any more.'
  const what = kind === 'server' ? 'The relay' : 'The agent'
  return `${what} on the machine is cut off at once and its token is dead. To come back, the machine has to be enrolled again.`
}

function Players({ allocations }: { allocations: readonly Allocation[] }) {
  const { open } = useTrafficOf(allocations)
  const them = allocations.length === 1 ? 'it' : 'them'
  return (
    <>
      , with {open === 0 ? 'nobody' : plural(open, 'player')} on {them} now
    </>
  )
}

function CutTunnel({ allocation }: { allocation: Allocation }) {
  const { open } = useTraffic(allocation)
  const { name, host, port, protocol } = allocation
  return (
    <li>
      <span class="name">
        {name !== null && <bdi>{name} </bdi>}
        <code>
          {protocol} {address(host, port)}
        </code>
      </span>
      <span class="text-light">{plural(open, 'player')}</span>
    </li>
  )
}
