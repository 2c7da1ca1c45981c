import type { FlowMessage } from '../flows/flow-message.js'
import type { ConnectionProgress } from '../players/connection-record.js'
import type { AllocationTraffic } from '../relay-types.js'
import type { SocketName } from './taken-sockets.js'

/** A player's UDP flow, as it goes on in the next process. */
export interface HandedFlow {
  id: number
  message: FlowMessage
  /** As the socket gives it; in the message it is in its plain form. */
  address: string
  port: number
  answered: boolean
  validated: boolean
  progress: ConnectionProgress
}

/** The table of flows of one device. */
export interface HandedTable {
  deviceId: string
  id: string
  /** Of its slots. */
  generations: number[]
}

/** All that a relay gives to the next process but its sockets. */
export interface HandedState {
  /** As it is stored. */
  snapshot: unknown
  epoch: string
  totals: AllocationTraffic[]
  sockets: SocketName[]
  tables: HandedTable[]
  flows: HandedFlow[]
}

/** Undefined: it is no such state. What is within was checked by the process that made it, which is the same program. */
export function readHandedState(value: unknown): HandedState | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { snapshot, epoch, totals, sockets, tables, flows } = value as { [K in keyof HandedState]?: unknown }
  if (typeof epoch !== 'string' || epoch === '') return undefined
  if (![totals, sockets, tables, flows].every((list) => Array.isArray(list))) return undefined
  return { snapshot, epoch, totals, sockets, tables, flows } as HandedState
}
