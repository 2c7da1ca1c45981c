import type { MetricsServer } from '../../metrics/metrics-server.js'
import type { Relay } from '../../relay-types.js'
import { CliError } from '../exit.js'
import type { Output } from '../terminal/output.js'
import { showAddress } from '../tunnels/target.js'
import { wait } from '../wait.js'

export interface MetricsOptions {
  relay: Relay
  address: { host: string; port: number } | undefined
  output: Output
  /** The process before this one has the address yet: it is waited for, without holding anything up, and is no reason to end. */
  fromPredecessor: boolean
}

const TRY_AGAIN_MS = 200
const TRIES = 50

/** Serves a relay's figures where `--metrics-address` says; gives what ends it. Throws CliError `metrics_unavailable`. */
export async function serveMetrics(options: MetricsOptions): Promise<() => Promise<void>> {
  const { address, output, fromPredecessor } = options
  if (address === undefined) return async () => {}
  const { startMetricsServer } = await import('../../metrics/metrics-server.js')
  const ended = new AbortController()

  async function start(tries: number): Promise<MetricsServer | undefined> {
    for (let left = tries; !ended.signal.aborted; left -= 1) {
      try {
        const server = await startMetricsServer(options.relay, options.address ?? { host: '', port: 0 })
        output.event('metrics_ready', `metrics at ${server.url}/metrics`, { url: server.url })
        return server
      } catch (error) {
        if (left <= 1) throw error
        await wait(TRY_AGAIN_MS, ended.signal)
      }
    }
    return undefined
  }

  const unavailable = (error: unknown) => {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    return `--metrics-address ${showAddress(address.host, address.port)} cannot be bound: ${code}`
  }
  const started = start(fromPredecessor ? TRIES : 1)
  const server = fromPredecessor
    ? started.catch((error) => void output.notice('metrics_unavailable', unavailable(error)))
    : started.catch((error) => {
        throw new CliError('metrics_unavailable', unavailable(error))
      })
  if (!fromPredecessor) await server
  return async () => {
    ended.abort()
    await (await server)?.close()
  }
}
