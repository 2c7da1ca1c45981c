import type { Allocation, Device, Relay } from '@sallyport/relay/client'
import type { ComponentChildren } from 'preact'
import { useLive } from '../live.js'
import { useSession } from '../session.js'
import { Empty, Failure, Waiting } from './states.js'

export interface LiveListsOf {
  readonly devices: readonly Device[]
  readonly allocations: readonly Allocation[]
  readonly relays: readonly Relay[]
}

interface LiveListsProps {
  readonly lines?: number
  readonly children: (lists: LiveListsOf) => ComponentChildren
}

/** What the panel tells live, or why it is not there. What is known stays while the connection is away. */
export function LiveLists({ lines = 4, children }: LiveListsProps) {
  const { devices, allocations, relays, state } = useLive()
  if (state === 'disabled') return <SwitchedOff />
  if (devices && allocations && relays) return <>{children({ devices, allocations, relays })}</>
  if (state === 'lost')
    return <Failure message="The panel cannot be followed at the moment. It is tried again by itself." />
  return <Waiting lines={lines} />
}

function SwitchedOff() {
  const { may } = useSession()
  return (
    <Empty title="Tunnels are switched off">
      <p class="text-light">Players cannot join, and devices are not connected. What is set up stays.</p>
      {may('settings:write') ? (
        <a class="button" href="/settings">
          Open the settings
        </a>
      ) : (
        <p class="text-light">An administrator of this panel can switch them on.</p>
      )}
    </Empty>
  )
}
