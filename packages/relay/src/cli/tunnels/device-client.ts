import { findCredentials } from '../config/credentials.js'
import type { CliContext } from '../context.js'
import { createPanelClient, type PanelClient } from '../panel/panel-client.js'
import { proxyFor } from '../panel/proxy.js'

/** Speaks to the panel as this device. Throws CliError when it is not enrolled. */
export async function createDeviceClient(context: CliContext): Promise<PanelClient> {
  const { panel, token } = await findCredentials(context)
  return createPanelClient({
    panel,
    authorization: `Bearer ${token}`,
    proxy: proxyFor(panel, context.env),
    debug: (message) => context.output.debug(message),
  })
}
