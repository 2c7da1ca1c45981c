import type { Socket } from 'node:net'
import type { Emitter } from '../emitter.js'
import { closeParts, type RelayParts } from '../relay-parts.js'
import type { AllocationTraffic, RelayEvents } from '../relay-types.js'
import { readSnapshot } from '../state/snapshot.js'
import type { StoredState } from '../state/stored-state.js'
import { resetSocket } from '../stream/reset-socket.js'
import type { HandOverChannel } from './hand-over-line.js'
import { rebuild } from './rebuild.js'
import { Predecessor } from './take-over.js'
import type { TakenSockets } from './taken-sockets.js'

export interface InheritOptions {
  channel: HandOverChannel
  relayId: string
  timeoutMs: number
  stored: StoredState
  totals: Map<number, AllocationTraffic>
  events: Emitter<RelayEvents>
  assemble: (taken: TakenSockets) => RelayParts
}

export interface Inheritance {
  predecessor: Predecessor
  parts: RelayParts
  epoch: string
  dataPort: number
}

/** Resolves when this process serves in place of the one before. Rejects with RELAY_ERR_HANDOVER_FAILED and leaves nothing open. */
export async function inherit(options: InheritOptions): Promise<Inheritance> {
  const { channel, relayId, timeoutMs, stored, totals, events, assemble } = options
  // Nothing is this process's to store before it serves.
  await stored.mute()
  let inherited: Omit<Inheritance, 'predecessor'> | undefined
  const predecessor = new Predecessor({
    channel,
    timeoutMs,
    totals,
    build: async (state, sockets) => {
      stored.restore(readSnapshot(state.snapshot, relayId))
      for (const one of state.totals) totals.set(one.allocationId, one)
      const parts = assemble(sockets)
      inherited = { parts, epoch: state.epoch, dataPort: 0 }
      inherited.dataPort = await rebuild(parts, state, stored.desired.allocations, sockets)
    },
    onPlayer: (allocationId: number, socket: Socket) => {
      const heir = inherited?.parts.table.get(allocationId)?.heir
      if (heir === undefined) resetSocket(socket)
      else heir.takePlayer(socket)
    },
    onConnection: (event) => events.emit('connection', event),
  })
  try {
    await predecessor.takeOver()
  } catch (error) {
    if (inherited !== undefined) await closeParts(inherited.parts)
    totals.clear()
    throw error
  }
  stored.unmute()
  stored.saveInBackground()
  return { predecessor, ...(inherited as Omit<Inheritance, 'predecessor'> & object) }
}
