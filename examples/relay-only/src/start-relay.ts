import { createRelay, fileStorage, type Logger, memoryStorage, type Relay } from '@sallyport/relay'
import { relayId, type Tunnel, toAllocations } from './tunnel.js'

export interface RelaySettings {
  readonly bindHost: string
  readonly publicHost: string
  /** 0 picks a free one. */
  readonly dataPort: number
  /** Left out: nothing is kept. */
  readonly stateFile?: string | undefined
  readonly secret: Uint8Array
  /** None: those that the state file has. */
  readonly tunnels: readonly Tunnel[]
  readonly logger?: Logger
}

/** @throws RelayError, such as `RELAY_ERR_DATA_PORT` */
export async function startRelay(settings: RelaySettings): Promise<Relay> {
  const { bindHost, publicHost, dataPort, stateFile, secret, tunnels, logger } = settings
  const relay = createRelay({
    ...{ id: relayId, bindHost, publicHost, dataPort, ticketKey: secret },
    storage: stateFile === undefined ? memoryStorage() : fileStorage(stateFile),
    ...(logger && { logger }),
  })
  await relay.start()
  // A kept state has a revision, and what is below it counts as old.
  if (tunnels.length > 0) {
    await relay.apply({ revision: relay.revision + 1, allocations: toAllocations(tunnels) })
  }
  return relay
}
