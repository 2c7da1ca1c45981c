import { parseRelayState } from './relay-state.js'
import type { RelayState } from './relay-types.js'
import type { TicketMemorySnapshot } from './ticket-memory.js'

const SNAPSHOT_VERSION = 1

/** What a relay keeps in its storage. */
export interface RelaySnapshot {
  state: RelayState
  /** Only when the relay made it itself. */
  ticketKey?: Buffer
  tickets: TicketMemorySnapshot
}

export function encodeSnapshot({ state, ticketKey, tickets }: RelaySnapshot): unknown {
  const key = ticketKey === undefined ? {} : { ticketKey: ticketKey.toString('base64url') }
  return { version: SNAPSHOT_VERSION, state, tickets, ...key }
}

/** Undefined for what is no snapshot of this version. */
export function decodeSnapshot(value: unknown): RelaySnapshot | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { version, state, ticketKey, tickets } = value as { [K in keyof RelaySnapshot | 'version']?: unknown }
  const parsed = parseRelayState(state)
  if (version !== SNAPSHOT_VERSION || !parsed.ok || !isTicketMemory(tickets)) return undefined
  if (ticketKey === undefined) return { state: parsed.state, tickets }
  if (typeof ticketKey !== 'string') return undefined
  return { state: parsed.state, tickets, ticketKey: Buffer.from(ticketKey, 'base64url') }
}

function isTicketMemory(value: unknown): value is TicketMemorySnapshot {
  if (typeof value !== 'object' || value === null) return false
  const { lastStamp, cutoff, devices, spent } = value as { [K in keyof TicketMemorySnapshot]?: unknown }
  if (typeof lastStamp !== 'number' || typeof cutoff !== 'number') return false
  return isRows(devices, 2) && isRows(spent, 1)
}

/** Rows of a text and so many numbers. */
function isRows(value: unknown, numbers: number): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (row) =>
        Array.isArray(row) &&
        row.length === numbers + 1 &&
        typeof row[0] === 'string' &&
        row.slice(1).every((cell) => typeof cell === 'number'),
    )
  )
}
