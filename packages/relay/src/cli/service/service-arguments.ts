import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError, ExitCode } from '../exit.js'
import { readTarget, type TargetOptions } from '../tunnels/target-options.js'
import type { ServicePlaces } from './places.js'

/** What the service's `run` or `relay` is started with. */
export interface ServiceArguments {
  /** As given, with absolute paths. */
  given: string[]
  /** For the unit: without a system relay's certificate, of which the relay sees copies. */
  args: string[]
  certificate?: { certificate: string; privateKey: string }
  lowPorts: boolean
  /** `--drain`, seconds. */
  drainSeconds: number
}

/** Of every command, and of use to a service. */
const GLOBAL = new Set(['--json', '--verbose'])
const MANAGED = ['--config', '--state']
const FILES = ['--certificate', '--private-key']
const FIRST_ORDINARY_PORT = 1_024

/**
 * Checks what was given behind `--` as the command itself would: what the service would refuse at its start is refused now. Throws CliError, and commander's
 * errors (which it has written).
 */
export function readServiceArguments(
  command: Command,
  places: ServicePlaces,
  given: readonly string[],
): ServiceArguments {
  const managed = given.find((arg) => MANAGED.some((name) => arg === name || arg.startsWith(`${name}=`)))
  if (managed !== undefined) throw usage(`${managed.replace(/=.*/s, '')} is the service's own: leave it out`)
  if (given.some((arg) => /\p{Cc}/u.test(arg))) throw usage('control characters cannot stand in a unit')
  const { operands, unknown } = command.parseOptions([...given])
  const stray = [...operands, ...unknown].find((arg) => !GLOBAL.has(arg))
  if (stray !== undefined) throw usage(`'sallyport ${places.command}' has no argument ${stray}`)
  if (places.command === 'run') readTarget(command.opts<TargetOptions>(), command)

  const options = command.opts<{
    certificate?: string
    privateKey?: string
    dataPort?: number
    portRange?: { from: number }
    metricsAddress?: { port: number }
    drain?: number
  }>()
  const ports = [options.dataPort, options.portRange?.from, options.metricsAddress?.port]
  const { certificate, privateKey } = options
  if ((certificate === undefined) !== (privateKey === undefined))
    throw usage('--certificate and --private-key go together')
  const pair =
    certificate === undefined || privateKey === undefined
      ? undefined
      : { certificate: resolve(certificate), privateKey: resolve(privateKey) }
  const apart = places.scope === 'system' && pair !== undefined
  return {
    given: rewriteFiles(given, false),
    args: rewriteFiles(given, apart),
    ...(apart ? { certificate: pair } : {}),
    lowPorts: ports.some((port) => port !== undefined && port > 0 && port < FIRST_ORDINARY_PORT),
    drainSeconds: typeof options.drain === 'number' ? options.drain : 0,
  }
}

/** Makes the paths absolute (a service starts in /), or leaves the options out. */
function rewriteFiles(given: readonly string[], leaveOut: boolean): string[] {
  const args: string[] = []
  for (let index = 0; index < given.length; index += 1) {
    const [, name = '', joined] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(given[index] ?? '') ?? []
    if (!FILES.includes(name)) {
      args.push(given[index] ?? '')
      continue
    }
    if (joined === undefined) index += 1
    if (!leaveOut) args.push(name, resolve(joined ?? given[index] ?? ''))
  }
  return args
}

function usage(detail: string): CliError {
  return new CliError('invalid_argument', detail, ExitCode.usage)
}
