import type { AllocationStatus, Relay } from '../relay-types.js'
import { CONTROL_LIMITS } from './control.js'
import type { RelayStatusMessage } from './control-relay-messages.js'
import { chunk } from './control-split.js'

export interface RelayStatusOptions {
  relay: Pick<Relay, 'status' | 'devices' | 'on'>
  /** Changes are gathered this long, */
  delayMs: number
  /** and a report is made this often without any. */
  intervalMs: number
  /** Players now, as last counted. */
  players(): number
  isDraining(): boolean
  send(message: RelayStatusMessage): boolean
}

/** Tells the panel what is in force, from the first state of a connection to the connection's end. */
export interface RelayStatusReporter {
  /** A state or change is in force, every port bound or failed: told at once. `whole`: every allocation may be different. */
  applied(revision: number, whole: boolean): void
  /** Something may be different: told soon. */
  changed(): void
  /** Told at once, when the panel has been told anything yet. */
  now(): void
  /** The connection is over. */
  reset(): void
  /** Returns what ends the listening. */
  listen(): () => void
}

type Condition = RelayStatusMessage['allocations'][number]

/** Under MAX_AGENT_MESSAGE_BYTES, with what surrounds them. */
const MAX_CONDITION_BYTES = 60 * 1024

export function createRelayStatus(options: RelayStatusOptions): RelayStatusReporter {
  const { relay } = options
  /** What the panel knows, by allocation. */
  const told = new Map<number, string>()
  /** Heard of by events since the last report; undefined: removed. */
  const dirty = new Map<number, Condition | undefined>()
  /** What the relay names while it is still binding ports is not told. */
  let inForce: number | undefined
  let toldRevision = 0
  let soon: NodeJS.Timeout | undefined
  let often: NodeJS.Timeout | undefined

  function report(whole: boolean): void {
    clearTimeout(soon)
    soon = undefined
    const revision = inForce ?? 0
    const different = whole ? compareAll(relay.status().allocations) : compareDirty()
    dirty.clear()
    const common = {
      type: 'relay_status',
      devices: relay.devices().length,
      connections: options.players(),
      draining: options.isDraining(),
      time: Date.now(),
    } as const
    const chunks = chunk(different, CONTROL_LIMITS.relayStatuses, MAX_CONDITION_BYTES)
    for (const [index, conditions] of chunks.entries()) {
      const isLast = index === chunks.length - 1
      const named = isLast ? revision : Math.max(0, Math.min(toldRevision, revision - 1))
      // Not taken: the connection is over, and all is told again on the next.
      if (!options.send({ ...common, revision: named, allocations: conditions })) return
    }
    toldRevision = revision
  }

  function compareAll(allocations: readonly AllocationStatus[]): Condition[] {
    const present = new Set(allocations.map(({ allocationId }) => allocationId))
    for (const id of told.keys()) if (!present.has(id)) told.delete(id)
    return allocations.map(asCondition).filter(isNews)
  }

  function compareDirty(): Condition[] {
    for (const [id, condition] of dirty) if (condition === undefined) told.delete(id)
    return [...dirty.values()].filter((condition) => condition !== undefined).filter(isNews)
  }

  function isNews(condition: Condition): boolean {
    const key = `${condition.status} ${condition.error ?? ''}`
    if (told.get(condition.id) === key) return false
    told.set(condition.id, key)
    return true
  }

  function changed(): void {
    if (inForce !== undefined) soon ??= setTimeout(() => report(false), options.delayMs)
  }

  return {
    applied(revision, whole) {
      const first = inForce === undefined
      inForce = revision
      often ??= setInterval(() => report(true), options.intervalMs)
      report(whole || first)
    },
    changed,
    now() {
      if (inForce !== undefined) report(false)
    },
    reset() {
      clearTimeout(soon)
      clearInterval(often)
      soon = undefined
      often = undefined
      inForce = undefined
      toldRevision = 0
      told.clear()
      dirty.clear()
    },
    listen() {
      const offs = [
        relay.on('link', changed),
        relay.on('allocation', ({ allocationId, status, error }) => {
          // Without a connection that has its state there is nobody to tell, and then all is told.
          if (inForce === undefined) return
          dirty.set(allocationId, status === 'removed' ? undefined : asCondition({ allocationId, status, error }))
          changed()
        }),
      ]
      return () => {
        for (const off of offs) off()
      }
    },
  }
}

function asCondition(of: { allocationId: number; status: Condition['status']; error?: string | undefined }): Condition {
  const { allocationId: id, status, error } = of
  return error === undefined ? { id, status } : { id, status, error: plainCode(error) }
}

/** The system's codes are taken as they are, anything else is fitted to what a panel takes. */
function plainCode(error: string): string {
  const code = error.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, CONTROL_LIMITS.errorLength)
  return code === '' ? 'unknown' : code
}
