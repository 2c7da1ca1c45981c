import { RelayError } from '../errors.js'
import type { TicketMemorySnapshot } from '../identity/ticket-memory.js'
import type { CertificatePair, RelayState } from '../relay-types.js'
import type { RelayStorage } from '../storage/storage.js'
import { parseRelayState } from './relay-state.js'

const SNAPSHOT_VERSION = 1
const MIN_TICKET_KEY_BYTES = 32

/** What a relay keeps in its storage. */
export interface RelaySnapshot {
  /** Undefined in those of earlier versions. */
  relayId?: string
  state: RelayState
  /** Only when the relay made it itself. */
  ticketKey?: Buffer
  /** The same. */
  identity?: CertificatePair
  tickets: TicketMemorySnapshot
  /** Who is let in without an answer, as `setAdmission` said; undefined: it was not called. */
  otherwise?: 'allow' | 'deny'
}

export function encodeSnapshot({ ticketKey, ...rest }: RelaySnapshot): unknown {
  const key = ticketKey === undefined ? {} : { ticketKey: ticketKey.toString('base64url') }
  return { version: SNAPSHOT_VERSION, ...rest, ...key }
}

/** Throws RELAY_ERR_STORAGE_CORRUPT for what is no snapshot of this version or another relay's. */
export function readSnapshot(stored: unknown, id: string): RelaySnapshot {
  const snapshot = decodeSnapshot(stored)
  if (snapshot === undefined) throw new RelayError('RELAY_ERR_STORAGE_CORRUPT', 'not a snapshot of a relay')
  const { relayId = id } = snapshot
  if (relayId !== id) throw new RelayError('RELAY_ERR_STORAGE_CORRUPT', `it is of relay '${relayId}', this is '${id}'`)
  return snapshot
}

/** From the storage; undefined: there is none. The same errors, and those of the storage. */
export async function loadSnapshot(storage: RelayStorage, id: string): Promise<RelaySnapshot | undefined> {
  const stored = await storage.load()
  return stored === undefined ? undefined : readSnapshot(stored, id)
}

function decodeSnapshot(value: unknown): RelaySnapshot | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { version, relayId, state, ticketKey, identity, tickets, otherwise } = value as {
    [K in keyof RelaySnapshot | 'version']?: unknown
  }
  const parsed = parseRelayState(state)
  if (version !== SNAPSHOT_VERSION || !parsed.ok || !isTicketMemory(tickets)) return undefined
  const snapshot: RelaySnapshot = { state: parsed.state, tickets }
  if (relayId !== undefined) {
    if (typeof relayId !== 'string') return undefined
    snapshot.relayId = relayId
  }
  if (ticketKey !== undefined) {
    const key = typeof ticketKey === 'string' ? Buffer.from(ticketKey, 'base64url') : undefined
    // A short one could be guessed, and tickets made with it.
    if (key === undefined || key.length < MIN_TICKET_KEY_BYTES) return undefined
    snapshot.ticketKey = key
  }
  // Without a good one the relay makes itself another; that is no reason to lose the rest.
  if (isPair(identity)) snapshot.identity = { key: identity.key, cert: identity.cert }
  if (otherwise !== undefined) {
    if (otherwise !== 'allow' && otherwise !== 'deny') return undefined
    snapshot.otherwise = otherwise
  }
  return snapshot
}

function isPair(value: unknown): value is CertificatePair {
  const { key, cert } = (typeof value === 'object' && value !== null ? value : {}) as Partial<CertificatePair>
  return typeof key === 'string' && typeof cert === 'string'
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
