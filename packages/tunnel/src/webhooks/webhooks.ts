import type { Logger, Scope, Sql } from '@sallyport/core'
import type { AuditedChange } from '../audit-trail.js'
import type { WebhookEndpoint } from '../config.js'
import { every } from '../every.js'
import type { ConnectionEnd } from '../hooks/hooks.js'
import { createDeliveryStore } from './delivery-store.js'
import { parseEndpoints } from './endpoints.js'
import { takePresenceChanges } from './told-presence.js'
import { isWebhookEvent, type WebhookEvent } from './webhook-events.js'
import { createWebhookOutbox } from './webhook-outbox.js'
import { createWebhookWorker, type WebhookTimings } from './webhook-worker.js'

/** Tells the configured endpoints what happens. None of it rejects; without endpoints nothing is done. */
export interface Webhooks {
  /** For the audit trail: everything that is changed through the API. */
  audited(change: AuditedChange): Promise<void>
  /** For the connection gate; undefined: nobody wants it. */
  readonly connectionsEnded: ((ends: readonly ConnectionEnd[]) => Promise<void>) | undefined
}

interface WebhooksOptions {
  readonly sql: Sql
  readonly scope: Scope
  readonly logger: Logger
  readonly endpoints: readonly WebhookEndpoint[]
  readonly timings?: Partial<WebhookTimings>
  /** How often is looked for who came or went. Default 5,000. */
  readonly presenceIntervalMs?: number
  /** Who is away for less long never went. Default 15. */
  readonly awaySeconds?: number
}

const defaultPresenceIntervalMs = 5_000
const defaultAwaySeconds = 15
/** What data has under such a name stays here. */
const confidential = /token|secret|code|password|key|credential|authorization|cookie/i

/**
 * Starts to deliver, and looks for devices and relays that came or went; the scope ends it.
 * @throws `TUNNEL_ERR_WEBHOOK_INVALID`
 */
export function openWebhooks(options: WebhooksOptions): Webhooks {
  const { sql, scope, logger } = options
  const endpoints = parseEndpoints(options.endpoints)
  if (endpoints.length === 0) return { audited: async () => undefined, connectionsEnded: undefined }

  const store = createDeliveryStore(sql)
  const timings = options.timings ?? {}
  const worker = createWebhookWorker({ store, endpoints, logger, timings })
  scope.defer(worker.stop)
  const outbox = createWebhookOutbox({ store, endpoints, logger, wake: worker.wake })
  scope.defer(outbox.stop)

  const watch = (table: 'tunnel_devices' | 'tunnel_relays', kind: 'device' | 'relay'): void => {
    const online: WebhookEvent = `${kind}.online`
    const offline: WebhookEvent = `${kind}.offline`
    if (!outbox.isWanted(online) && !outbox.isWanted(offline)) return
    const awaySeconds = options.awaySeconds ?? defaultAwaySeconds
    const look = async (): Promise<void> => {
      const changes = await takePresenceChanges(sql, table, awaySeconds)
      const dataOf = (wanted: boolean) => changes.filter((one) => one.online === wanted).map(({ id }) => ({ id }))
      await outbox.put(offline, dataOf(false))
      await outbox.put(online, dataOf(true))
    }
    const intervalMs = options.presenceIntervalMs ?? defaultPresenceIntervalMs
    scope.defer(every(intervalMs, 'looking who is online', logger, look))
  }
  watch('tunnel_devices', 'device')
  watch('tunnel_relays', 'relay')

  return {
    async audited({ action, id, data, actor }) {
      if (!isWebhookEvent(action)) return
      const by = actor === 'system' || actor === undefined ? (actor ?? null) : { kind: actor.kind, id: actor.id }
      await outbox.put(action, [{ ...withoutSecrets(data), id, by }])
    },
    connectionsEnded: outbox.isWanted('connection.ended')
      ? async (ends) =>
          outbox.put(
            'connection.ended',
            ends.map((end) => ({ ...end })),
          )
      : undefined,
  }
}

function withoutSecrets(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !confidential.test(name)))
}
