import { isIP } from 'node:net'
import { FLOW_SLOTS } from '../flows/flow-id.js'
import { type FlowMessage, isFlowMessage } from '../flows/flow-message.js'
import type { ConnectionProgress } from '../players/connection-record.js'
import type { AllocationTraffic } from '../relay-types.js'
import { fieldsOf, isInteger } from '../untrusted.js'
import { isList, isName, isTraffic } from './handed-fields.js'
import type { SocketName } from './taken-sockets.js'

const MAX_GENERATION = 65_535
const MAX_FLOW_ID = 2 ** 32 - 1

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

/** Undefined: it is no such state. The snapshot is checked by whoever reads it. */
export function readHandedState(value: unknown): HandedState | undefined {
  const { snapshot, epoch, totals, sockets, tables, flows } = fieldsOf<HandedState>(value)
  if (!isName(epoch) || !isList(totals, isTraffic) || !isList(sockets, isSocketName)) return undefined
  if (!isList(tables, isTable) || !isList(flows, isFlow)) return undefined
  return { snapshot, epoch, totals, sockets, tables, flows }
}

function isSocketName(value: unknown): value is SocketName {
  return value === 'data' || value === 'datagrams' || isInteger(value, 0)
}

function isTable(value: unknown): value is HandedTable {
  const { deviceId, id, generations } = fieldsOf<HandedTable>(value)
  if (!isName(deviceId) || !isName(id) || !isList(generations, isGeneration)) return false
  return generations.length <= FLOW_SLOTS
}

function isGeneration(value: unknown): value is number {
  return isInteger(value, 0, MAX_GENERATION)
}

function isFlow(value: unknown): value is HandedFlow {
  const { id, message, address, port, answered, validated, progress } = fieldsOf<HandedFlow>(value)
  if (!isInteger(id, 0, MAX_FLOW_ID) || !isFlowMessage(message)) return false
  if (typeof address !== 'string' || isIP(address) === 0 || !isInteger(port, 1, 65_535)) return false
  return typeof answered === 'boolean' && typeof validated === 'boolean' && isProgress(progress)
}

function isProgress(value: unknown): value is ConnectionProgress {
  const { bytesIn, bytesOut, openForMs } = fieldsOf<ConnectionProgress>(value)
  return isInteger(bytesIn, 0) && isInteger(bytesOut, 0) && (openForMs === undefined || Number.isFinite(openForMs))
}
