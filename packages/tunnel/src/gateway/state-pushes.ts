import type { Logger } from '@sallyport/core'
import type { StateMessage } from '@sallyport/relay'
import { createKeyedBatches, type KeyedBatches } from '../keyed-batches.js'
import { AgentPeer } from './agent-peer.js'
import type { ControlSession } from './control-session.js'

/**
 * Sends devices their states, read for many at one time. Of several that are asked for in a row the last is sent.
 * @param session the welcomed one of a device, if there is one
 */
export function createStatePushes(
  readStates: (deviceIds: readonly string[]) => Promise<ReadonlyMap<string, StateMessage>>,
  session: (deviceId: string) => ControlSession | undefined,
  logger: Logger,
): KeyedBatches<true> {
  return createKeyedBatches<true>({
    what: 'reading states of devices',
    logger,
    async run(batch) {
      const present = [...batch.keys()].filter((id) => session(id)?.peer instanceof AgentPeer)
      if (present.length === 0) return
      const states = await readStates(present)
      for (const id of present) {
        const peer = session(id)?.peer
        const state = states.get(id)
        if (state && peer instanceof AgentPeer) peer.tell(state)
      }
    },
  })
}
