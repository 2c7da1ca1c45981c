import type { Relay } from '@sallyport/relay/client'
import { useState } from 'preact/hooks'
import { useOrganisations } from '../devices/owner-names.js'
import { Badge } from '../ui/badge.js'
import { address } from '../ui/format.js'
import { type Column, Table } from '../ui/table.js'
import { RelayLoad } from './relay-load.js'
import { RelayState } from './relay-state.js'

const filterFrom = 20
const mostShown = 200

export function RelayTable({ relays }: { relays: readonly Relay[] }) {
  const [filter, setFilter] = useState('')
  const organisations = useOrganisations()
  const hasOwners = relays.some(({ organisationId }) => organisationId !== null)
  const organisationOf = ({ organisationId }: Relay) => {
    if (organisationId === null) return 'Everybody'
    return organisations.data?.find(({ id }) => id === organisationId)?.name ?? 'An organisation'
  }
  const wanted = filter.trim().toLowerCase()
  const found = relays.filter((relay) => {
    const { name, host, region, labels } = relay
    const texts = [name, host, region ?? '', organisationOf(relay), ...Object.entries(labels).flat()]
    return texts.some((text) => text.toLowerCase().includes(wanted))
  })
  const columns: readonly Column<Relay>[] = [
    { title: 'Relay', cell: (relay) => <NameCell relay={relay} /> },
    { title: 'State', cell: (relay) => <RelayState relay={relay} /> },
    { title: 'Place', cell: (relay) => <Place relay={relay} /> },
    { title: 'Load', cell: (relay) => <RelayLoad relay={relay} /> },
    { title: 'Players', numeric: true, cell: ({ load }) => load.connections.toLocaleString('en') },
    { title: 'Devices', numeric: true, cell: ({ load }) => load.devices.toLocaleString('en') },
    { title: 'Version', cell: ({ version }) => version ?? '–' },
    ...(hasOwners ? [{ title: 'For', cell: (relay: Relay) => <bdi class="name">{organisationOf(relay)}</bdi> }] : []),
  ]
  return (
    <>
      {relays.length > filterFrom && (
        <p class="filter">
          <input
            type="search"
            aria-label="Filter by name, address, region or label"
            placeholder="Filter by name, address, region or label"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </p>
      )}
      {found.length === 0 ? (
        <p role="status">No relay matches.</p>
      ) : (
        <Table label="Relays" columns={columns} rows={found.slice(0, mostShown)} rowKey={({ id }) => id} />
      )}
      {found.length > mostShown && (
        <p class="text-light">
          {mostShown} of {found.length.toLocaleString('en')} are shown. Use the filter to find the others.
        </p>
      )}
    </>
  )
}

function NameCell({ relay: { name, kind, host, dataPort, encryption } }: { relay: Relay }) {
  return (
    <span class="relay-name">
      <bdi class="name strong">{name}</bdi>
      <code>{address(host, dataPort)}</code>
      <span class="text-light">
        {kind === 'embedded' ? 'Part of the panel' : 'Stand-alone'}{' '}
        {encryption === 'off' && (
          <Badge variant="warning" title="Between agents and this relay">
            Not encrypted
          </Badge>
        )}
      </span>
    </span>
  )
}

function Place({ relay: { region, labels } }: { relay: Relay }) {
  const entries = Object.entries(labels)
  if (region === null && entries.length === 0) return <>–</>
  return (
    <span class="labels">
      {region !== null && <Badge title="Region">{region}</Badge>}
      {entries.map(([key, value]) => (
        <span key={key} class="badge outline">
          {key}: {value}
        </span>
      ))}
    </span>
  )
}
