import type { AgentTraffic } from '../agent-types.js'

/** Of one relay's allocations, those without a connection; then the one that was used least recently is forgotten. */
const MAX_IDLE_PER_RELAY = 2_048

/** The totals of one allocation at one relay, counted on by all of its connections. */
export interface HeldTotals {
  readonly totals: AgentTraffic
  /** The connection is over. Once. */
  letGo: () => void
}

interface Entry {
  readonly totals: AgentTraffic
  /** Connections and flows that count on it, also those on their way to a target. */
  users: number
}

/** What passed for each allocation, of the connections there are and of those that are over. */
export class TrafficTotals {
  /** By relay, then by allocation; an entry goes to the end when its last connection leaves. */
  readonly #relays: Map<string, Map<number, Entry>> = new Map()
  /** Of others no total is kept beyond their connections. */
  readonly #joined: Set<string> = new Set()
  #wanted: ReadonlySet<number> | undefined

  hold(relayId: string, allocationId: number): HeldTotals {
    const entries = this.#relays.get(relayId) ?? new Map<number, Entry>()
    this.#relays.set(relayId, entries)
    const entry = entries.get(allocationId) ?? {
      totals: { allocationId, relayId, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 },
      users: 0,
    }
    entries.set(allocationId, entry)
    entry.users += 1
    return { totals: entry.totals, letGo: () => this.#letGo(entry) }
  }

  list(): AgentTraffic[] {
    return [...this.#relays.values()].flatMap((entries) => [...entries.values()].map(({ totals }) => ({ ...totals })))
  }

  /** Only of these a total is kept when they have no connection, from now on; undefined: of all. */
  retain(allocationIds: ReadonlySet<number> | undefined): void {
    this.#wanted = allocationIds
    for (const entries of [...this.#relays.values()]) for (const entry of [...entries.values()]) this.#clear(entry)
  }

  /** The agent has this relay. */
  join(relayId: string): void {
    this.#joined.add(relayId)
  }

  /** No longer: what is left of it goes with its last connections. */
  leave(relayId: string): void {
    this.#joined.delete(relayId)
    for (const entry of [...(this.#relays.get(relayId)?.values() ?? [])]) this.#clear(entry)
  }

  #letGo(entry: Entry): void {
    entry.users -= 1
    if (entry.users > 0) return
    const { relayId, allocationId } = entry.totals
    const entries = this.#relays.get(relayId)
    entries?.delete(allocationId)
    entries?.set(allocationId, entry)
    this.#clear(entry)
    if (entries !== undefined && entries.size > MAX_IDLE_PER_RELAY) this.#forgetOldest(entries)
  }

  #forgetOldest(entries: Map<number, Entry>): void {
    for (const [allocationId, { users }] of entries) {
      if (users > 0) continue
      entries.delete(allocationId)
      return
    }
  }

  /** Forgets what nobody uses and nobody wants. */
  #clear({ users, totals: { relayId, allocationId } }: Entry): void {
    const wanted = this.#joined.has(relayId) && (this.#wanted === undefined || this.#wanted.has(allocationId))
    if (users > 0 || wanted) return
    const entries = this.#relays.get(relayId)
    entries?.delete(allocationId)
    if (entries?.size === 0) this.#relays.delete(relayId)
  }
}
