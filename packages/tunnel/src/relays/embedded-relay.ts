import type { Logger, Sql } from '@sallyport/core'
import { createRelay, fileStorage, memoryStorage, type Relay, RelayError } from '@sallyport/relay'
import type { EmbeddedRelayConfig } from '../config.js'
import { tunnelErrors } from '../errors.js'

/** The relay of this process, and the group of relays that serves the same public ports. */
export interface EmbeddedRelay {
  readonly relay: Relay
  readonly hostGroup: string
}

const defaults = {
  id: 'embedded',
  bindHost: '127.0.0.1',
  publicHost: 'localhost',
  dataPort: 7_350,
}

/**
 * Starts the relay and writes it down in the database.
 * @throws `TUNNEL_ERR_RELAY_START_FAILED`
 */
export async function startEmbeddedRelay(
  sql: Sql,
  logger: Logger,
  config: EmbeddedRelayConfig,
): Promise<EmbeddedRelay> {
  const { id, bindHost, publicHost, dataPort } = { ...defaults, ...config }
  const hostGroup = config.hostGroup ?? publicHost.toLowerCase()
  const storage = config.storageFile === undefined ? memoryStorage() : fileStorage(config.storageFile)
  try {
    const relay = createRelay({ id, bindHost, publicHost, dataPort, storage, logger })
    await relay.start()
    try {
      await register(sql, relay, hostGroup, config.region)
    } catch (error) {
      await relay.stop()
      throw error
    }
    return { relay, hostGroup }
  } catch (error) {
    if (!(error instanceof RelayError)) throw error
    throw tunnelErrors.RELAY_START_FAILED({ reason: error.message }, { cause: error })
  }
}

async function register(sql: Sql, relay: Relay, hostGroup: string, region: string | undefined): Promise<void> {
  await sql(
    `INSERT INTO tunnel_relays (id, host_group, kind, host, data_port, region) VALUES ($1, $2, 'embedded', $3, $4, $5)
     ON CONFLICT (id) DO UPDATE SET
       host_group = excluded.host_group, kind = excluded.kind, host = excluded.host, data_port = excluded.data_port,
       region = excluded.region, last_seen_at = now()`,
    [relay.id, hostGroup, relay.publicHost, relay.dataPort, region ?? null],
  )
}
