import { findCredentials } from '../config/credentials.js'
import type { CliContext } from '../context.js'
import { ExitCode, type ExitCodeValue } from '../exit.js'
import { type Allocation, readAllocations } from '../panel/panel-answers.js'
import { createPanelClient } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import { renderTable, showBytes } from '../terminal/table.js'
import { showAddress } from './target.js'

/** Lists this device's allocations. Throws CliError. */
export async function allocations(context: CliContext): Promise<ExitCodeValue> {
  const { output, signal } = context
  const { panel, token } = await findCredentials(context)
  const client = createPanelClient({
    panel,
    authorization: `Bearer ${token}`,
    debug: (message) => output.debug(message),
  })
  const answer = await client.request({ path: '/api/tunnel/allocations', signal })
  if (!answer.ok) throw panelError(answer, 'token')
  const list = readAllocations(answer.body)
  output.result({ allocations: list }, list.length === 0 ? 'no tunnels yet' : render(list))
  return ExitCode.ok
}

function render(list: readonly Allocation[]): string {
  const head = ['ID', 'PROTOCOL', 'PUBLIC', 'LOCAL', 'STATUS', 'IN', 'OUT', 'OPEN']
  const rows = list.map((allocation) => [
    String(allocation.id),
    allocation.protocol,
    showAddress(allocation.host, allocation.port),
    showAddress(allocation.localHost, allocation.localPort),
    allocation.relayOnline === false ? `${allocation.status} (relay offline)` : allocation.status,
    allocation.traffic ? showBytes(allocation.traffic.bytesIn) : '-',
    allocation.traffic ? showBytes(allocation.traffic.bytesOut) : '-',
    allocation.traffic ? String(allocation.traffic.open) : '-',
  ])
  return renderTable(head, rows, [0, 5, 6, 7])
}
