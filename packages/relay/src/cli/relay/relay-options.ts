import { isIP } from 'node:net'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Encryption } from '../../agent-types.js'
import { CONTROL_LIMITS } from '../../control/control.js'
import { parseHost } from '../tunnels/target.js'

export interface RelayCommandOptions {
  bindHost: string
  /** 0 picks a free one. */
  dataPort: number
  encryption: Encryption
  /** Paths, both or none. */
  certificate?: string
  privateKey?: string
  /** Default: 'localhost'. */
  publicHost?: string
  region?: string
  hostGroup?: string
  capacity?: number
  portRange?: { from: number; to: number }
  /** Default: none. */
  metricsAddress?: { host: string; port: number }
  /** Path. Default: beside the configuration. */
  state?: string
  /** Seconds. */
  drain: number
  /** Seconds. */
  linger: number
}

const DAY_S = 86_400
const MAX_LINGER_S = 14 * DAY_S

export function relayOptions(command: Command): Command {
  const bindHost = new Option('--bind-host <address>', 'where public ports and the data port listen')
  const dataPort = new Option('--data-port <port>', 'port that agents dial, TCP and UDP')
  const encryption = new Option(
    '--encryption <mode>',
    'of TCP between agents and this relay; off only where nobody listens',
  )
  const drain = new Option('--drain <seconds>', 'when told to stop, let players finish for so long')
  const linger = new Option(
    '--linger <seconds>',
    'after an upgrade (SIGHUP), let players of the old process finish for so long',
  )
  return command
    .addOption(bindHost.argParser(parseBindHost).default('127.0.0.1'))
    .addOption(dataPort.argParser(parseDataPort).default(7350))
    .option('--public-host <host>', 'name that players and agents are given (default: localhost)', parseHost)
    .addOption(encryption.choices(['tls', 'off']).default('tls'))
    .option('--certificate <file>', "PEM that agents' machines trust for the public host (default: one of its own)")
    .option('--private-key <file>', 'PEM of the private key of --certificate')
    .option('--region <name>', 'where it stands, for the choice of a relay', parseLabel)
    .option('--host-group <name>', 'relays that share a public name and stand in for each other', parseLabel)
    .option('--capacity <count>', 'tunnels that it takes at most', parseCapacity)
    .option('--metrics-address <host:port>', 'serve GET /metrics (Prometheus) and /healthz there', parseMetricsAddress)
    .option('--port-range <from-to>', "public ports that it may bind (default: the panel's)", parsePortRange)
    .option('--state <file>', 'where it keeps what it serves (default: <config>.state)')
    .addOption(drain.argParser(parseSeconds(DAY_S)).default(0))
    .addOption(linger.argParser(parseSeconds(MAX_LINGER_S)).default(DAY_S))
}

function parseBindHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (host === 'localhost' || isIP(host) !== 0) return host
  throw new InvalidArgumentError("It must be an IP address of this machine, such as 0.0.0.0 or '::'.")
}

function parseDataPort(text: string): number {
  const port = wholeNumber(text, 0, 65_535)
  if (port === undefined) throw new InvalidArgumentError('It must be a port from 1 to 65535, or 0 for a free one.')
  return port
}

function parseCapacity(text: string): number {
  const capacity = wholeNumber(text, 0, CONTROL_LIMITS.relayAllocations)
  if (capacity !== undefined) return capacity
  throw new InvalidArgumentError(`It must be a number from 0 to ${CONTROL_LIMITS.relayAllocations}.`)
}

function parseMetricsAddress(text: string): { host: string; port: number } {
  const [, host = '', digits = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? []
  const port = wholeNumber(digits, 0, 65_535)
  if (host !== '' && port !== undefined) return { host: parseBindHost(host), port }
  throw new InvalidArgumentError('It must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464.')
}

function parseSeconds(max: number): (text: string) => number {
  return (text) => {
    const seconds = /^\d{1,7}$/.test(text) ? Number(text) : max + 1
    if (seconds <= max) return seconds
    throw new InvalidArgumentError(`It must be a number of seconds from 0 to ${max}.`)
  }
}

/** A-B, both included. */
function parsePortRange(text: string): { from: number; to: number } {
  const [first = '', last = '', ...more] = text.split('-')
  const from = wholeNumber(first, 1, 65_535)
  const to = wholeNumber(last, 1, 65_535)
  if (from !== undefined && to !== undefined && from <= to && more.length === 0) return { from, to }
  throw new InvalidArgumentError('It must be two ports from 1 to 65535, the lower one first, such as 20000-29999.')
}

/** A region or host group. */
function parseLabel(text: string): string {
  const label = text.trim()
  if (label !== '' && label.length <= CONTROL_LIMITS.idLength && !/\p{Cc}/u.test(label)) return label
  throw new InvalidArgumentError(`It must have 1 to ${CONTROL_LIMITS.idLength} printable characters.`)
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,6}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}
