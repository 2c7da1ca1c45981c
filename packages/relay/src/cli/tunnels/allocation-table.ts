import type { Allocation } from '../panel/panel-answers.js'
import { renderTable, showBytes } from '../terminal/table.js'
import { showAddress } from './target.js'

const HEAD = ['ID', 'PROTOCOL', 'PUBLIC', 'LOCAL', 'STATUS', 'RELAY', 'IN', 'OUT', 'OPEN']
const RIGHT = [0, 6, 7, 8]
/** A relay without a name goes by its id. */
const UUID = /^[\da-f]{8}(?=-[\da-f]{4}-)/

/** A line for each allocation, and one above them. */
export function allocationTable(list: readonly Allocation[]): { head: string; rows: string[] } {
  const [head = '', ...rows] = renderTable(HEAD, list.map(cells), RIGHT).split('\n')
  return { head, rows }
}

function cells(allocation: Allocation): string[] {
  const { id, protocol, host, port, localHost, localPort, traffic } = allocation
  return [
    String(id),
    protocol,
    showAddress(host, port),
    showAddress(localHost, localPort),
    showStatus(allocation),
    showRelay(allocation),
    traffic ? showBytes(traffic.bytesIn) : '-',
    traffic ? showBytes(traffic.bytesOut) : '-',
    traffic ? String(traffic.open) : '-',
  ]
}

export function showStatus({ status, statusError, targetError }: Allocation): string {
  if (status === 'failed' && statusError !== undefined) return `${status}, ${statusError}`
  return targetError === undefined || status !== 'open' ? status : `${status}, target ${targetError}`
}

function showRelay({ relayId, relayName, relayOnline }: Allocation): string {
  const name = relayName ?? relayId ?? '-'
  const shown = UUID.exec(name)?.[0] ?? name
  return relayOnline === false ? `${shown} (offline)` : shown
}
