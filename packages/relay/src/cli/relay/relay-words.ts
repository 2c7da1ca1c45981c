import { isReadableOnTheWay, showPanel } from '../../control/panel-url.js'
import type { Relay } from '../../relay-types.js'
import type { Credentials } from '../config/credentials.js'
import type { CliContext } from '../context.js'
import { CliError } from '../exit.js'
import { count } from '../terminal/table.js'
import { showAddress } from '../tunnels/target.js'
import type { RelayCommandOptions } from './relay-options.js'

export const DEFAULT_PUBLIC_HOST = 'localhost'
const LOOPBACK = /^(localhost|::1|127(\.\d+){3})$/

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it: end that one, or choose another with --data-port',
  EADDRNOTAVAIL: 'this machine does not have that address: see --bind-host',
  EACCES: 'this user may not: ports below 1024 need rights of their own',
}

/** What whoever starts a relay may not have meant. */
export function warnOf({ output }: CliContext, { panel }: Credentials, options: RelayCommandOptions): void {
  const { bindHost, publicHost, hostGroup, encryption } = options
  if (isReadableOnTheWay(panel)) {
    const detail = `${showPanel(panel)} is plain http: the token can be read by others on its way`
    output.notice('plain_http', detail)
  }
  if (publicHost === undefined) {
    const shared =
      hostGroup === undefined ? '; all relays that are left at that count as one host and share its ports' : ''
    const told = LOOPBACK.test(bindHost) ? 'only programs on this machine find it' : 'give --public-host HOST'
    const detail = `players and agents are told to come to '${DEFAULT_PUBLIC_HOST}': ${told}${shared}`
    output.notice('public_host_missing', detail)
  }
  if (encryption === 'off') {
    const detail = 'encryption is off: TCP between agents and this relay, tickets included, can be read on its way'
    output.notice('unencrypted', detail)
  }
}

/** Why the relay did not start, once and with what can be done. */
export function startError(error: unknown, { bindHost, dataPort }: RelayCommandOptions, statePath: string): CliError {
  const { code, message, cause, syscall } = error as NodeJS.ErrnoException & { cause?: { code?: string } }
  if (String(code) === 'RELAY_ERR_DATA_PORT') {
    const reason = cause?.code ?? 'unknown'
    const words = SYSTEM_WORDS[reason]
    const protocol = /\bUDP\b/.test(String(message)) ? 'UDP' : 'TCP'
    const detail = `the data port ${showAddress(bindHost, dataPort)} (${protocol}) cannot be bound: ${reason}`
    return new CliError('data_port_unavailable', words === undefined ? detail : `${detail}, ${words}`)
  }
  if (String(code) === 'RELAY_ERR_HANDOVER_FAILED')
    return new CliError('takeover_failed', `this process cannot take over: ${String(message)}`)
  if (syscall !== undefined) return new CliError('state_unreadable', `the state ${statePath} cannot be read: ${code}`)
  return new CliError('relay_not_started', `the relay did not start: ${String(message)}`)
}

/** The same for a relay that is not even made. */
export function optionError(error: { message: string }, { certificate, privateKey }: RelayCommandOptions): CliError {
  const flaw = error.message.replace(/^An option is not valid: /, '')
  if (!flaw.startsWith('certificate: ')) return new CliError('invalid_option', flaw)
  const detail = `--certificate ${certificate} with --private-key ${privateKey}: ${flaw.slice('certificate: '.length)}`
  return new CliError('invalid_certificate', detail)
}

/** Why the panel has sent the relay away for good. */
export function refusalWords(reason: string, detail: string): string {
  if (reason === 'declined') return `the panel refuses this relay: ${detail}`
  if (reason === 'relay_id_mismatch') return detail
  return "the panel refuses this device's token: enrol again with 'sallyport enroll --panel URL --kind server'"
}

/** One line for those who look after services. */
export function summarize(relay: Pick<Relay, 'status' | 'statistics'>, isConnected: boolean): string {
  const { allocations } = relay.status()
  const failed = allocations.filter(({ status }) => status === 'failed').length
  const trouble = failed === 0 ? '' : ` (${failed} cannot be bound)`
  const panel = isConnected ? 'connected to the panel' : 'the panel is away'
  const { links } = relay.statistics()
  return `serving ${count(allocations.length, 'tunnel')}${trouble}, ${count(links, 'agent')} linked, ${panel}`
}
