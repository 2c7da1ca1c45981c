import type { Disposer, Events, Logger, Sql } from '@sallyport/core'
import { relaysChanged } from '../events.js'
import { inChunks } from '../in-chunks.js'
import type { RelayTable } from './relay-table.js'

/** Relays that came, went or changed: told to every instance, which sends its agents on them their state. */
export interface RelayNews {
  tell(relayId: string): void
  /** @param pushState sends a device its state if it is connected here */
  listen(pushState: (deviceId: string) => void): Disposer
  /** Tells what is left to tell: those that went with this instance. */
  stop(): Promise<void>
}

interface RelayNewsOptions {
  readonly sql: Sql
  readonly events: Events
  readonly logger: Logger
  readonly table: RelayTable
  readonly instanceId: string
}

/** Several that come and go together are one piece of news. */
const tellMs = 20
const pushMs = 300
const maxPerEvent = 250

export function createRelayNews({ sql, events, logger, table, instanceId }: RelayNewsOptions): RelayNews {
  let told = new Set<string>()
  let heard = new Set<string>()
  let tellTimer: NodeJS.Timeout | undefined
  let pushTimer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let stopped = false

  const emit = async (): Promise<void> => {
    const ids = [...told]
    told = new Set()
    for (const relayIds of inChunks(ids, maxPerEvent)) await events.emit(relaysChanged, { relayIds })
  }

  const push = async (pushState: (deviceId: string) => void): Promise<void> => {
    const ids = [...heard]
    heard = new Set()
    const rows = await sql<{ id: string }>(
      `SELECT DISTINCT d.id FROM tunnel_devices d JOIN tunnel_allocations a ON a.device_id = d.id
       WHERE d.instance_id = $1::uuid AND a.relay_id IN (SELECT jsonb_array_elements_text($2::jsonb))`,
      [instanceId, JSON.stringify(ids)],
    )
    for (const { id } of rows) pushState(id)
  }

  const logged = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => logger.warn({ err: error }, 'not everybody could be told of changed relays'))

  return {
    tell(relayId) {
      table.forget()
      told.add(relayId)
      if (stopped) return
      tellTimer ??= setTimeout(() => {
        tellTimer = undefined
        void logged(emit())
      }, tellMs).unref()
    },
    listen(pushState) {
      const off = events.on(relaysChanged, ({ relayIds }) => {
        table.forget()
        for (const id of relayIds) heard.add(id)
        pushTimer ??= setTimeout(() => {
          pushTimer = undefined
          running = logged(push(pushState))
        }, pushMs).unref()
      })
      return async () => {
        await off()
        clearTimeout(pushTimer)
        await running
      }
    },
    async stop() {
      stopped = true
      clearTimeout(tellTimer)
      await logged(emit())
    },
  }
}
