import { setTimeout as delay } from 'node:timers/promises'
import type { Logger, Sql } from '@sallyport/core'
import { type Relay, RelayError } from '@sallyport/relay'
import { coalesce } from '../coalesce.js'
import type { TrafficCounter } from '../traffic/traffic.js'
import { raiseRevision, readDesiredState } from './desired-state.js'

/** Keeps a relay at what the database wants. */
export interface RelaySync {
  /** Resolves when the relay has what the database had at the call. Never rejects: a failure is logged and tried again. */
  sync(): Promise<void>
  /** Ends retries, and waits for what runs. */
  stop(): Promise<void>
}

interface RelaySyncOptions {
  readonly sql: Sql
  readonly relay: Relay
  readonly traffic: TrafficCounter
  readonly logger: Logger
  /** Whether tunnels are switched on: else ports are kept and closed. */
  readonly enabled: () => boolean
}

const retryMinMs = 500
const retryMaxMs = 30_000
/** Longest pause between two that follow on each other. */
const maxPauseMs = 250

export function createRelaySync({ sql, relay, traffic, logger, enabled }: RelaySyncOptions): RelaySync {
  let retry: NodeJS.Timeout | undefined
  let delayMs = retryMinMs
  let stopped = false
  let ended = Number.NEGATIVE_INFINITY
  let tookMs = 0

  /** Each reads everything: under a flood of changes no more than half of the time is spent on that. */
  const gather = async (): Promise<void> => {
    const pauseMs = Math.min(tookMs, maxPauseMs) - (performance.now() - ended)
    if (pauseMs > 0) await delay(pauseMs)
  }

  const apply = async (): Promise<void> => {
    const current = relay.status().revision
    let state = await readDesiredState(sql, relay.id, !enabled())
    if (state.revision <= current) {
      await raiseRevision(sql, current)
      state = await readDesiredState(sql, relay.id, !enabled())
    }
    traffic.track(state.traffic)
    await relay.apply({ revision: state.revision, allocations: state.allocations })
  }

  const attempt = coalesce(async () => {
    await gather()
    if (stopped) return
    clearTimeout(retry)
    const begun = performance.now()
    try {
      await apply()
      delayMs = retryMinMs
    } catch (error) {
      if (stopped) return
      // In force, but a restart of the relay would begin with less: the next change saves again.
      const unsaved = error instanceof RelayError && error.code === 'RELAY_ERR_STORAGE_WRITE'
      logger.error(
        { err: error, relayId: relay.id },
        unsaved ? 'the relay cannot store its state' : 'the relay is behind',
      )
      retry = setTimeout(() => void attempt.run(), delayMs)
      delayMs = Math.min(delayMs * 2, retryMaxMs)
    } finally {
      ended = performance.now()
      tookMs = ended - begun
    }
  })

  return {
    sync: () => attempt.run(),
    async stop() {
      stopped = true
      clearTimeout(retry)
      await attempt.idle()
    },
  }
}
