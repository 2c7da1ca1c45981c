import type { Device } from '@sallyport/relay/client'
import { Badge } from '../ui/badge.js'
import type { Tunnel } from './pairs.js'
import { stateOf, type TunnelState } from './state.js'

interface StateBadgeProps {
  readonly tunnel: Tunnel
  readonly device: Device | undefined
}

/** The state in a word and its reason; of a pair once, unless its halves differ. */
export function StateBadge({ tunnel, device }: StateBadgeProps) {
  const states = tunnel.halves.map((half) => ({ half, state: stateOf(half, device) }))
  const isOne = states.every(({ state }) => state.words === states[0]?.state.words)
  if (isOne && states[0]) return <One state={states[0].state} />
  return (
    <div class="vstack gap-1">
      {states.map(({ half, state }) => (
        <One key={half.id} state={state} prefix={half.protocol.toUpperCase()} />
      ))}
    </div>
  )
}

function One({ state, prefix }: { state: TunnelState; prefix?: string }) {
  return (
    <div class="tunnel-state">
      <Badge variant={state.variant}>
        {prefix && `${prefix}: `}
        {state.words}
      </Badge>
      {state.reason && <p class="text-light">{state.reason}</p>}
    </div>
  )
}
