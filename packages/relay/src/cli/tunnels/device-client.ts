import { findAgentCredentials } from '../config/settings.js'
import type { CliContext } from '../context.js'
import { createPanelClient, type PanelClient } from '../panel/panel-client.js'
import { proxyFor } from '../panel/proxy.js'

/** Speaks to the panel as this device. Throws CliError when it is not enrolled, or as a relay. */
export async function createDeviceClient(context: CliContext): Promise<PanelClient> {
  const { panel, token } = await findAgentCredentials(context)
  return createPanelClient({
    panel,
    authorization: `Bearer ${token}`,
    proxy: proxyFor(panel, context.env),
    debug: (message) => context.output.debug(message),
  })
}
