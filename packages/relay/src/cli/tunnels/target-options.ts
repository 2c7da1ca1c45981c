import { type Command, Option } from 'commander'
import {
  DEFAULT_LOCAL_HOST,
  type LocalTarget,
  parseHost,
  parsePort,
  parseRegion,
  type TargetProtocol,
} from './target.js'

export interface TargetOptions {
  localPort?: number
  localHost: string
  protocol: TargetProtocol
  port?: number
  region?: string
}

/** Adds the options that say what a tunnel leads to. */
export function targetOptions(command: Command, required: boolean): Command {
  const port = new Option('--local-port <port>', 'port of the service on this machine').argParser(parsePort)
  return command
    .addOption(required ? port.makeOptionMandatory() : port)
    .addOption(
      new Option('--local-host <host>', 'where the service listens').argParser(parseHost).default(DEFAULT_LOCAL_HOST),
    )
    .addOption(new Option('--protocol <protocol>', 'what to carry').choices(['tcp', 'udp', 'both']).default('tcp'))
    .option('--port <port>', "public port that is wanted (default: the panel's choice)", parsePort)
    .option('--region <name>', 'where the relay should stand; a wish', parseRegion)
}

/** Undefined: none is asked for. Ends as the command's own errors do when an option is without the port that it is for. */
export function readTarget(options: TargetOptions, command: Command): LocalTarget | undefined {
  const { localHost, localPort, protocol, port, region } = options
  if (localPort !== undefined) {
    return {
      localHost,
      localPort,
      protocol,
      ...(port === undefined ? {} : { port }),
      ...(region === undefined ? {} : { region }),
    }
  }
  for (const [name, flag] of [
    ['localHost', '--local-host'],
    ['protocol', '--protocol'],
    ['port', '--port'],
    ['region', '--region'],
  ] as const) {
    if (command.getOptionValueSource(name) === 'cli') {
      command.error(`error: option '${flag}' is for '--local-port', which is missing`)
    }
  }
  return undefined
}
