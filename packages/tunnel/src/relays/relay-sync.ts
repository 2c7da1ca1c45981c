import { setTimeout as delay } from 'node:timers/promises'
import type { Logger, Sql } from '@sallyport/core'
import { type RelayAllocation, RelayError } from '@sallyport/relay'
import { coalesce } from '../coalesce.js'
import { type DesiredState, raiseRevision, readDesiredState } from './desired-state.js'
import type { RelayView } from './relay-view.js'
import type { SteeredRelay } from './steered-relay.js'

/** Keeps one relay at what the database wants. */
export interface RelaySync {
  /**
   * Resolves when the relay has what the database had at the call: of these devices, or of all. Never rejects: a failure is
   * logged, and the whole is tried again until it is there.
   */
  sync(deviceIds?: readonly string[]): Promise<void>
  /** Ends retries, and waits for what runs. */
  stop(): Promise<void>
}

/** What a relay has been told. */
export interface Told {
  readonly state: DesiredState
  /** Left out: all there is. */
  readonly deviceIds?: readonly string[]
  /** What it no longer has. */
  readonly gone: readonly RelayAllocation[]
}

interface RelaySyncOptions {
  readonly sql: Sql
  readonly relay: SteeredRelay
  readonly view: RelayView
  readonly logger: Logger
  /** Whether tunnels are switched on: else ports are kept and closed. */
  readonly enabled: () => boolean
  /** The relay has it. A rejection counts as a failure. */
  readonly onTold: (told: Told) => Promise<void>
}

const retryMinMs = 500
const retryMaxMs = 30_000
/** Longest pause between two whole ones that follow on each other. */
const maxPauseMs = 250
/** Changes of more devices are read as a whole. */
const maxDevices = 500

export function createRelaySync(options: RelaySyncOptions): RelaySync {
  const { sql, relay, view, logger, enabled, onTold } = options
  let retry: NodeJS.Timeout | undefined
  let delayMs = retryMinMs
  let stopped = false
  let ended = Number.NEGATIVE_INFINITY
  let tookMs = 0
  /** Whether the view is what the relay has. */
  let known = false
  let whole = false
  let devices = new Set<string>()

  /** Reading everything takes no more than half of the time under a flood of changes. */
  const gather = async (): Promise<void> => {
    const pauseMs = Math.min(tookMs, maxPauseMs) - (performance.now() - ended)
    if (pauseMs > 0) await delay(pauseMs)
  }

  /** In force, although a restart of the relay would begin with less: the next change saves again. */
  const unlessInForce = async (sending: Promise<void>): Promise<RelayError | undefined> => {
    try {
      await sending
      return undefined
    } catch (error) {
      if (error instanceof RelayError && error.code === 'RELAY_ERR_STORAGE_WRITE') return error
      known = false
      throw error
    }
  }

  const tellWhole = async (): Promise<RelayError | undefined> => {
    const current = relay.revision
    let state = await readDesiredState(sql, relay.id, !enabled())
    if (state.revision <= current) {
      await raiseRevision(sql, current)
      state = await readDesiredState(sql, relay.id, !enabled())
    }
    const allocations = state.allocations.map(({ allocation }) => allocation)
    // Before the relay hears of it: what it says of them meanwhile is noted. Should it fail, all is told anew.
    const gone = view.accept(state.allocations)
    const unsaved = await unlessInForce(relay.apply({ revision: state.revision, allocations }))
    for (const { allocationId, status, error } of relay.status().allocations) view.note(allocationId, status, error)
    known = true
    await onTold({ state, gone })
    return unsaved
  }

  const tellChange = async (deviceIds: readonly string[] | undefined): Promise<RelayError | undefined> => {
    const state = await readDesiredState(sql, relay.id, !enabled(), deviceIds)
    const change = view.difference(state.allocations, deviceIds)
    const nothing = change.upsert.length + change.remove.length === 0
    const gone = view.accept(state.allocations, deviceIds)
    const unsaved = nothing ? undefined : await unlessInForce(relay.change({ revision: state.revision, ...change }))
    await onTold({ state, gone, ...(deviceIds ? { deviceIds } : {}) })
    return unsaved
  }

  const attempt = coalesce(async () => {
    if (whole || !known || devices.size > maxDevices) await gather()
    if (stopped || (known && !whole && devices.size === 0)) return
    const deviceIds = whole || !known || devices.size > maxDevices ? undefined : [...devices]
    whole = false
    devices = new Set()
    if (deviceIds === undefined) clearTimeout(retry)
    const begun = performance.now()
    try {
      const unsaved = await (known ? tellChange(deviceIds) : tellWhole())
      if (unsaved) throw unsaved
      delayMs = retryMinMs
    } catch (error) {
      if (stopped) return
      const unsaved = error instanceof RelayError && error.code === 'RELAY_ERR_STORAGE_WRITE'
      logger.error(
        { err: error, relayId: relay.id },
        unsaved ? 'the relay cannot store its state' : 'the relay is behind',
      )
      known = false
      clearTimeout(retry)
      retry = setTimeout(() => void attempt.run(), delayMs)
      delayMs = Math.min(delayMs * 2, retryMaxMs)
    } finally {
      if (deviceIds === undefined) {
        ended = performance.now()
        tookMs = ended - begun
      }
    }
  })

  return {
    sync(deviceIds) {
      if (deviceIds === undefined) whole = true
      else for (const deviceId of deviceIds) devices.add(deviceId)
      return attempt.run()
    },
    async stop() {
      stopped = true
      clearTimeout(retry)
      await attempt.idle()
    },
  }
}
