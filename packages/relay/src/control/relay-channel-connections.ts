import type { RelayEvents } from '../relay-types.js'
import { CONTROL_LIMITS } from './control.js'
import type { EndedConnection, RelayConnectionsMessage } from './control-relay-messages.js'
import { chunk } from './control-split.js'

/** Keeps the connections that ended until the panel is told of them, over an outage too. */
export interface EndedConnections {
  add(connection: RelayEvents['connection']): void
  report(): void
  /** Gives those that the panel was not told of, and keeps them no longer. */
  take(): EndedConnection[]
  /** Those of another process. */
  adopt(ended: readonly EndedConnection[]): void
}

/** Kept at once; then the oldest is dropped, and counted. */
const MAX_KEPT = 8_192
/** Under MAX_AGENT_MESSAGE_BYTES, with what surrounds them. */
const MAX_ENDED_BYTES = 60 * 1024

export function createEndedConnections(send: (message: RelayConnectionsMessage) => boolean): EndedConnections {
  let kept: EndedConnection[] = []
  let dropped = 0

  function keep(connection: EndedConnection): void {
    if (kept.length >= MAX_KEPT) {
      kept.shift()
      dropped += 1
    }
    kept.push(connection)
  }

  return {
    add({ phase, allocationId, protocol, remoteAddress, remotePort, bytesIn, bytesOut, durationMs, reason }) {
      if (phase === 'open') return
      const about = { allocationId, protocol, remoteAddress, remotePort, bytesIn, bytesOut }
      keep({ ...about, durationMs: Math.round(durationMs), reason: reason ?? 'cut' })
    },
    take: () => kept.splice(0),
    adopt(ended) {
      for (const connection of ended) keep(connection)
    },
    report() {
      if (kept.length === 0 && dropped === 0) return
      const chunks = chunk(kept, CONTROL_LIMITS.relayEnded, MAX_ENDED_BYTES)
      for (const [index, ended] of chunks.entries()) {
        if (!send({ type: 'relay_connections', ended, dropped })) {
          kept = chunks.slice(index).flat()
          return
        }
        dropped = 0
      }
      kept = []
    },
  }
}
