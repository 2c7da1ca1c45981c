import type { Relay } from '@sallyport/relay/client'
import { Badge } from '../ui/badge.js'
import { Time } from '../ui/format.js'

const goneAfterMs = 86_400_000

/** Whether a relay is there, and what that means for tunnels. */
export function RelayState({ relay }: { relay: Relay }) {
  const { online, draining, kind, lastSeenAt } = relay
  if (online && !draining) return <Badge variant="success">Online</Badge>
  if (online) {
    return (
      <div class="tunnel-state">
        <Badge variant="warning">Draining</Badge>
        <p class="text-light">Lets its players finish and takes no new tunnels.</p>
      </div>
    )
  }
  const isGone = Date.now() - Date.parse(lastSeenAt) > goneAfterMs
  return (
    <div class="tunnel-state">
      <Badge variant="danger">{isGone ? 'Gone' : 'Offline'}</Badge>
      <p class="text-light">
        Last seen <Time at={lastSeenAt} />. {meaning(kind, isGone)}
      </p>
    </div>
  )
}

function meaning(kind: Relay['kind'], isGone: boolean): string {
  if (kind === 'embedded') return 'It comes back with the panel’s process that it belongs to.'
  if (isGone) return 'If it is not to come back, delete its device.'
  return 'It is waited for. Another relay of its group takes over its tunnels, if there is one.'
}
