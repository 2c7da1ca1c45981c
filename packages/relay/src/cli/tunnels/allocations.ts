import type { CliContext } from '../context.js'
import { ExitCode, type ExitCodeValue } from '../exit.js'
import { panelError } from '../panel/panel-error.js'
import { isInteractive } from '../terminal/terminal.js'
import { listAllocations } from './allocation-requests.js'
import { allocationTable } from './allocation-table.js'
import { createDeviceClient } from './device-client.js'

/** Lists this device's allocations; on a terminal a person manages them there. Throws CliError. */
export async function allocations(context: CliContext): Promise<ExitCodeValue> {
  const { output, signal } = context
  const client = await createDeviceClient(context)
  if (isInteractive(context)) {
    const { manageAllocations } = await import('./manage-allocations.js')
    return manageAllocations(context, client)
  }
  const listed = await listAllocations(client, signal)
  if (!listed.ok) throw panelError(listed, 'token')
  const { head, rows } = allocationTable(listed.value)
  output.result({ allocations: listed.value }, rows.length === 0 ? 'no tunnels yet' : [head, ...rows].join('\n'))
  return ExitCode.ok
}
