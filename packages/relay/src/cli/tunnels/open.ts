import type { CliContext } from '../context.js'
import { ExitCode, type ExitCodeValue } from '../exit.js'
import { panelError } from '../panel/panel-error.js'
import { withSpinner } from '../terminal/spinner.js'
import { makeAllocation } from './allocation-requests.js'
import { createDeviceClient } from './device-client.js'
import { type LocalTarget, showTunnel } from './target.js'

/** Makes an allocation for this device and says its public address. Throws CliError. */
export async function open(context: CliContext, target: LocalTarget): Promise<ExitCodeValue> {
  const { output, signal } = context
  const client = await createDeviceClient(context)
  const made = await withSpinner(context, 'Asking the panel', makeAllocation(client, target, signal))
  if (!made.ok) throw panelError(made, 'token')
  output.result({ allocations: made.value }, made.value.map(showTunnel).join('\n'))
  return ExitCode.ok
}
