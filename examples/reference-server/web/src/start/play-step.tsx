import type { Allocation } from '@sallyport/relay/client'
import { useTrafficOf } from '../live.js'
import { CopyBox } from '../ui/copy.js'
import { address, plural } from '../ui/format.js'
import { Awaited, Step } from './step.js'

/** The address to give away, and whether somebody has come. `allocations`: one, or one for TCP and one for UDP. */
export function PlayStep({ allocations }: { allocations: readonly Allocation[] }) {
  const first = allocations[0]
  const { open, connections } = useTrafficOf(allocations)
  const title = 'Give the address to your players'
  if (!first) {
    return (
      <Step title={title} state="later" summary="The address where they join, and whether the first one is there.">
        {null}
      </Step>
    )
  }
  const addresses = [...new Set(allocations.map(({ host, port }) => address(host, port)))]
  return (
    <Step title={title} state={connections > 0 || open > 0 ? 'done' : 'now'} stays>
      <p>This is what they enter as the server’s address:</p>
      {addresses.map((text) => (
        <CopyBox key={text} text={text} label="Public address" />
      ))}
      {/^localhost$|^127\.|^::1$/.test(first.host) && (
        <p class="notice">
          The relay says that it is at <strong>{first.host}</strong>: players on this machine only can join. Whoever
          runs the panel sets its public name with <code>RELAY_PUBLIC_HOST</code>.
        </p>
      )}
      <FirstPlayer open={open} connections={connections} />
    </Step>
  )
}

function FirstPlayer({ open, connections }: { open: number; connections: number }) {
  if (open > 0) {
    return (
      <div role="status" class="arrived">
        <strong>{open === 1 ? 'A player is here.' : `${plural(open, 'player')} are here.`}</strong> Your tunnel works.
      </div>
    )
  }
  if (connections > 0) {
    return (
      <div role="status" class="arrived">
        <strong>A player was here.</strong> Your tunnel works.
      </div>
    )
  }
  return <Awaited>Waiting for the first player.</Awaited>
}
