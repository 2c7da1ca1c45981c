import type { Relay, RelayEvents } from '../../relay-types.js'
import type { Output } from '../terminal/output.js'
import { count } from '../terminal/table.js'

type Condition = RelayEvents['allocation']

/** Within it thousands of ports may fail, or come back, for one reason. */
const GATHER_MS = 1_000
/** More of a kind at once are one line. */
const MAX_NAMED = 5

/** Puts public ports that cannot be bound, and those that are well again, into lines. Gives what ends it, which says what has been gathered. */
export function reportPorts(relay: Pick<Relay, 'on' | 'status'>, output: Output): () => void {
  /** The error that was said last, of those that have failed. */
  const failed = new Map<number, string | undefined>()
  /** The newest of each allocation since the last lines. */
  const news = new Map<number, Condition>()
  let soon: NodeJS.Timeout | undefined

  function say(): void {
    clearTimeout(soon)
    soon = undefined
    const kinds = new Map<string, Condition[]>()
    for (const condition of news.values()) {
      const { allocationId, status, error } = condition
      if (status === 'failed') {
        if (failed.has(allocationId) && failed.get(allocationId) === error) continue
        failed.set(allocationId, error)
      } else if (!failed.delete(allocationId)) continue
      const kind = error ?? status
      const conditions = kinds.get(kind) ?? []
      kinds.set(kind, conditions)
      conditions.push(condition)
    }
    news.clear()
    for (const conditions of kinds.values()) sayKind(conditions)
  }

  function sayKind(conditions: readonly Condition[]): void {
    const isMany = conditions.length > MAX_NAMED
    for (const { allocationId, port, status, error } of conditions.slice(0, isMany ? 1 : MAX_NAMED)) {
      const which = isMany
        ? `${count(conditions.length, 'port')}, ${port} (allocation ${allocationId}) among them,`
        : `port ${port} (allocation ${allocationId})`
      const fields = { allocationId, port, ...(isMany ? { allocations: conditions.length } : {}) }
      if (status === 'failed') {
        const message = `${which} cannot be bound: ${error}; trying on`
        output.event(isMany ? 'allocations_failed' : 'allocation_failed', message, { ...fields, error })
      } else {
        const message = `${which} ${isMany ? 'are' : 'is'} ${status === 'listening' ? 'bound now' : status}`
        output.event(isMany ? 'allocations_recovered' : 'allocation_recovered', message, { ...fields, status })
      }
    }
  }

  function note(condition: Condition): void {
    if (condition.status === 'starting') return
    news.set(condition.allocationId, condition)
    soon ??= setTimeout(say, GATHER_MS).unref()
  }

  // Those of the stored state were tried before anybody listened.
  for (const one of relay.status().allocations) if (one.status === 'failed') note(one)
  const off = relay.on('allocation', note)
  return () => {
    off()
    say()
  }
}
