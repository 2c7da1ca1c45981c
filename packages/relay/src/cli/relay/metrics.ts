import type { Relay } from '../../relay-types.js'
import { CliError } from '../exit.js'
import type { Output } from '../terminal/output.js'
import { showAddress } from '../tunnels/target.js'

/** Serves a relay's figures where `--metrics-address` says; gives what ends it. Throws CliError `metrics_unavailable`. */
export async function serveMetrics(
  relay: Relay,
  address: { host: string; port: number } | undefined,
  output: Output,
): Promise<() => Promise<void>> {
  if (address === undefined) return async () => {}
  const { startMetricsServer } = await import('../../metrics/metrics-server.js')
  try {
    const server = await startMetricsServer(relay, address)
    output.event('metrics_ready', `metrics at ${server.url}/metrics`, { url: server.url })
    return server.close
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    const detail = `--metrics-address ${showAddress(address.host, address.port)} cannot be bound: ${code}`
    throw new CliError('metrics_unavailable', detail)
  }
}
