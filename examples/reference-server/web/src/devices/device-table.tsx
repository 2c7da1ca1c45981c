import type { Device } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useSession } from '../session.js'
import { useMayChange } from '../tunnels/access.js'
import { Time } from '../ui/format.js'
import { type Column, Table } from '../ui/table.js'
import { DeviceState } from './device-state.js'
import { kindName } from './kinds.js'
import { type Owner, useOwnerNames } from './owner-names.js'

export type DeviceAction = 'rename' | 'token' | 'delete'

interface DeviceTableProps {
  readonly devices: readonly Device[]
  readonly onAction: (action: DeviceAction, device: Device) => void
}

/** With fewer one sees them all. */
const filterFrom = 20
const mostShown = 200

export function DeviceTable({ devices, onAction }: DeviceTableProps) {
  const [filter, setFilter] = useState('')
  const { may } = useSession()
  const ownerOf = useOwnerNames()
  const mayChange = useMayChange()
  const wanted = filter.trim().toLowerCase()
  const found = devices.filter((device) => {
    if (wanted === '') return true
    return [device.name, device.userCode, device.version ?? '', ownerOf(device).text].some((text) =>
      text.toLowerCase().includes(wanted),
    )
  })
  // Those that wait come first: somebody is at their machine.
  const rows = [...found.filter(({ approved }) => !approved), ...found.filter(({ approved }) => approved)]
  return (
    <>
      {devices.length > filterFrom && (
        <p class="filter">
          <input
            type="search"
            aria-label="Filter by name, code, version or owner"
            placeholder="Filter by name, code, version or owner"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </p>
      )}
      {rows.length === 0 ? (
        <p role="status">No device matches.</p>
      ) : (
        <Table
          label="Devices"
          columns={columnsOf({ ownerOf, mayApprove: may('tunnels:approve'), mayChange, onAction })}
          rows={rows.slice(0, mostShown)}
          rowKey={({ id }) => id}
        />
      )}
      {rows.length > mostShown && (
        <p class="text-light">
          {mostShown} of {rows.length.toLocaleString('en')} are shown. Use the filter to find the others.
        </p>
      )}
    </>
  )
}

interface Rights {
  readonly ownerOf: (device: Device) => Owner
  readonly mayApprove: boolean
  readonly mayChange: (device: Device) => boolean
  readonly onAction: DeviceTableProps['onAction']
}

function columnsOf({ ownerOf, mayApprove, mayChange, onAction }: Rights): readonly Column<Device>[] {
  return [
    { title: 'Name', cell: ({ name }) => <bdi class="name strong">{name}</bdi> },
    { title: 'State', cell: (device) => <DeviceState device={device} /> },
    { title: 'Last seen', cell: (device) => <LastSeen device={device} /> },
    { title: 'Version', cell: ({ version }) => version ?? '–' },
    { title: 'Kind', cell: kindName },
    { title: 'Owner', cell: (device) => <OwnerCell owner={ownerOf(device)} /> },
    {
      title: 'Actions',
      actions: true,
      cell: (device) => (
        <Actions device={device} mayApprove={mayApprove} mayChange={mayChange(device)} onAction={onAction} />
      ),
    },
  ]
}

function OwnerCell({ owner: { text, title } }: { owner: Owner }) {
  return (
    <bdi class="name" title={title}>
      {text}
    </bdi>
  )
}

function LastSeen({ device: { approved, online, lastSeenAt, createdAt } }: { device: Device }) {
  if (!approved) {
    return (
      <span>
        asked <Time at={createdAt} />
      </span>
    )
  }
  return online ? <>now</> : <Time at={lastSeenAt} />
}

interface ActionsProps {
  readonly device: Device
  readonly mayApprove: boolean
  readonly mayChange: boolean
  readonly onAction: DeviceTableProps['onAction']
}

function Actions({ device, mayApprove, mayChange, onAction }: ActionsProps) {
  const { name, approved, userCode } = device
  const button = (action: DeviceAction, text: string, label: string, danger = false) => (
    <button
      type="button"
      class="outline small"
      data-variant={danger ? 'danger' : undefined}
      aria-label={`${label} ${name}`}
      onClick={() => onAction(action, device)}
    >
      {text}
    </button>
  )
  if (!approved) {
    return (
      <>
        {mayApprove && (
          <a class="button small" href={`/tunnel/verify?user_code=${userCode}`} aria-label={`Approve or deny ${name}`}>
            Approve or deny
          </a>
        )}
        {mayChange && button('delete', 'Delete', 'Delete', true)}
      </>
    )
  }
  if (!mayChange) return null
  return (
    <>
      {button('rename', 'Rename', 'Rename')}
      {button('token', 'New token', 'New token for')}
      {button('delete', 'Delete', 'Delete', true)}
    </>
  )
}
