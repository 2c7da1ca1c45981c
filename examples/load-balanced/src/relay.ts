import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.js'
import type { Settings } from './settings.js'

export interface RelayOptions {
  /** The balancer: whichever panel it is brought to steers the relay. */
  readonly panel: string
  /** Of its enrolment. */
  readonly config: string
  readonly settings: Settings['relay']
  readonly say: (line: string) => void
  readonly log: (line: string) => void
}

const program = fileURLToPath(new URL('../bin/sallyport.js', import.meta.resolve('@sallyport/relay')))
/** The panel refuses its token. */
const refused = 3

/** Starts `sallyport relay`. */
export function startRelay({ panel, config, settings, say, log }: RelayOptions): Promise<Child> {
  return startChild({
    ...{ name: 'relay', command: process.execPath, say },
    args: [program, ...relayArguments(config, settings)],
    env: { ...process.env, SALLYPORT_PANEL: panel },
    ready: /relay ready: agents dial \S+/,
    final: [refused],
    onLine: (line) => log(`relay: ${line}`),
  })
}

/** compose.yaml gives the same. */
export function relayArguments(
  config: string,
  { bindHost, publicHost, dataPort, portRange }: Settings['relay'],
): string[] {
  return [
    ...['relay', '--config', config, '--bind-host', bindHost, '--public-host', publicHost],
    ...['--data-port', dataPort, '--port-range', portRange],
  ]
}
