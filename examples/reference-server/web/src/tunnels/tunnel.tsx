import type { Allocation } from '@sallyport/relay/client'
import { useRef } from 'preact/hooks'
import { useRoute } from 'preact-iso/router'
import { useLive } from '../live.js'
import { LiveLists, type LiveListsOf } from '../ui/live-lists.js'
import { Page } from '../ui/page.js'
import { Empty } from '../ui/states.js'
import { useMayChange } from './access.js'
import { OptionsSection } from './options-section.js'
import { addressOf, tunnelOf } from './pairs.js'
import { TargetSection } from './target-section.js'
import { TrafficSection } from './traffic-section.js'
import { TunnelActions } from './tunnel-actions.js'
import { TunnelHead } from './tunnel-head.js'

/** One tunnel, by the id in the address. */
export function Tunnel() {
  const { params } = useRoute()
  const { allocations, devices, relays, state } = useLive()
  const id = params['id'] ?? ''
  if (allocations && devices && relays && state !== 'disabled')
    return <Known key={id} id={id} lists={{ allocations, devices }} />
  return (
    <Page title="Tunnel">
      <LiveLists lines={8}>{() => null}</LiveLists>
    </Page>
  )
}

function Known({
  id,
  lists: { allocations, devices },
}: {
  id: string
  lists: Pick<LiveListsOf, 'allocations' | 'devices'>
}) {
  const mayChange = useMayChange()
  const allocation = allocations.find((one) => String(one.id) === id)
  const before = useRef<Allocation | undefined>(undefined)
  if (allocation) before.current = allocation
  if (!allocation) return <Gone before={before.current} />

  const tunnel = tunnelOf(allocation, allocations)
  const device = devices.find((one) => one.id === allocation.deviceId)
  const isMine = mayChange(device)
  const props = { allocation, tunnel, device }
  return (
    <Page title={allocation.name ?? addressOf(allocation)} actions={isMine && <TunnelActions {...props} />}>
      <TunnelHead {...props} />
      <TrafficSection key={allocation.id} allocation={allocation} />
      {isMine && <TargetSection {...props} />}
      {isMine && <OptionsSection {...props} />}
    </Page>
  )
}

function Gone({ before }: { before: Allocation | undefined }) {
  return (
    <Page title={before ? 'Tunnel deleted' : 'No such tunnel'}>
      <section class="card">
        <Empty
          title={
            before ? `The tunnel ${addressOf(before)} has been deleted` : 'There is no tunnel here that you may see'
          }
        >
          <p>
            {before
              ? 'Nobody can join by this address any more. Its port is kept for the device for a while.'
              : 'It may have been deleted, or it belongs to somebody else.'}
          </p>
          <p>
            <a class="button" href="/tunnels">
              All tunnels
            </a>
          </p>
        </Empty>
      </section>
    </Page>
  )
}
