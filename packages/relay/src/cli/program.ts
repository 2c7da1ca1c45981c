import { Command, CommanderError, Option } from 'commander'
import type { LocalSourceMode } from '../target/local-source.js'
import { packageVersion } from '../version.js'
import type { CliContext } from './context.js'
import { CliError, ExitCode, type ExitCodeValue } from './exit.js'
import { type RelayCommandOptions, relayOptions } from './relay/relay-options.js'
import { createOutput } from './terminal/output.js'
import {
  DEFAULT_LOCAL_HOST,
  type LocalTarget,
  parseDeviceName,
  parseHost,
  parsePort,
  type TargetProtocol,
} from './tunnels/target.js'

/** The process as the command sees it. */
export interface CliProcess {
  /** Without node and script. */
  args: readonly string[]
  env: CliContext['env']
  stdin: CliContext['stdin']
  stdout: CliContext['stdout']
  stderr: CliContext['stderr']
  signal: AbortSignal
}

interface GlobalOptions {
  config?: string
  json?: boolean
  verbose?: boolean
}

interface TargetOptions {
  localPort?: number
  localHost: string
  protocol: TargetProtocol
}

interface RunFlags {
  allow?: string[]
  localSource: LocalSourceMode
}

/** Runs one command line; resolves to its exit code. Parts that a command does not need are not loaded. */
export async function runCli(process: CliProcess): Promise<ExitCodeValue> {
  let exitCode: ExitCodeValue = ExitCode.ok
  const program = buildProgram(process, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...process.args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  }
}

function buildProgram(process: CliProcess, finish: (code: ExitCodeValue) => void): Command {
  const program = new Command('sallyport')
    .description("Opens tunnels from a Sallyport panel's public ports to services on this machine.")
    .version(packageVersion(), '--version', 'print the version')
    .option('--config <file>', 'configuration with the token (default: ~/.config/sallyport/agent.json)')
    .option('--json', 'print JSON, one object on each line')
    .option('--verbose', 'print what happens in detail, on stderr')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void process.stdout.write(text),
      writeErr: (text) => void process.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', EXAMPLES.program)

  async function act(command: Command, action: (context: CliContext) => Promise<ExitCodeValue>): Promise<void> {
    finish(await perform(process, command.optsWithGlobals<GlobalOptions>(), action))
  }

  program
    .command('enroll')
    .description('get this machine a token: prints a code and waits until it is approved')
    .option('--panel <url>', "the panel's URL (default: SALLYPORT_PANEL)")
    .option('--name <name>', "the device's name (default: the host name)", parseDeviceName)
    .addOption(
      new Option('--kind <kind>', "'server' needs an administrator's key in SALLYPORT_API_KEY")
        .choices(['client', 'server'])
        .default('client'),
    )
    .addHelpText('after', EXAMPLES.enroll)
    .action(async (options: { panel?: string; name?: string; kind: 'client' | 'server' }, command: Command) => {
      const { enroll } = await import('./enroll/enroll.js')
      await act(command, (context) => enroll(context, options))
    })

  targetOptions(program.command('run'), false)
    .description('run the agent: keeps the tunnels of this device up until it is stopped')
    .option(
      '--allow <host:port[-port]>',
      'let players reach only these targets; repeatable (default: loopback)',
      collect,
      [],
    )
    .addOption(
      new Option('--local-source <source>', 'addresses that services here see players come from; distinct needs Linux')
        .choices(['distinct', 'shared'])
        .default('distinct'),
    )
    .addHelpText('after', EXAMPLES.run)
    .action(async (options: TargetOptions & RunFlags, command: Command) => {
      const target = readTarget(options, command)
      const { allow = [], localSource } = options
      const { run } = await import('./run/run.js')
      await act(command, (context) => run(context, { allow, localSource, ...(target ? { target } : {}) }))
    })

  targetOptions(program.command('open'), true)
    .description('make a tunnel for this device and exit')
    .addHelpText('after', EXAMPLES.open)
    .action(async (options: TargetOptions, command: Command) => {
      const target = readTarget(options, command)
      const { open } = await import('./tunnels/open.js')
      if (target) await act(command, (context) => open(context, target))
    })

  program
    .command('allocations')
    .description('list the tunnels of this device')
    .addHelpText('after', EXAMPLES.allocations)
    .action(async (_options: object, command: Command) => {
      const { allocations } = await import('./tunnels/allocations.js')
      await act(command, allocations)
    })

  relayOptions(program.command('relay'))
    .description('run a stand-alone relay for the panel: takes players and agents until it is stopped')
    .addHelpText('after', EXAMPLES.relay)
    .action(async (options: RelayCommandOptions, command: Command) => {
      const { relay } = await import('./relay/relay.js')
      await act(command, (context) => relay(context, options))
    })

  for (const command of program.commands) command.helpOption('--help', 'print this help').allowExcessArguments(false)
  return program
}

function targetOptions(command: Command, required: boolean): Command {
  const port = new Option('--local-port <port>', 'port of the service on this machine').argParser(parsePort)
  return command
    .addOption(required ? port.makeOptionMandatory() : port)
    .addOption(
      new Option('--local-host <host>', 'where the service listens').argParser(parseHost).default(DEFAULT_LOCAL_HOST),
    )
    .addOption(new Option('--protocol <protocol>', 'what to carry').choices(['tcp', 'udp', 'both']).default('tcp'))
}

function readTarget(options: TargetOptions, command: Command): LocalTarget | undefined {
  const { localHost, localPort, protocol } = options
  if (localPort !== undefined) return { localHost, localPort, protocol }
  for (const name of ['localHost', 'protocol']) {
    if (command.getOptionValueSource(name) === 'cli') {
      command.error(
        `error: option '--${name === 'protocol' ? name : 'local-host'}' is for '--local-port', which is missing`,
      )
    }
  }
  return undefined
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}

async function perform(
  process: CliProcess,
  options: GlobalOptions,
  action: (context: CliContext) => Promise<ExitCodeValue>,
): Promise<ExitCodeValue> {
  const { defaultConfigPath } = await import('./config/config-file.js')
  const { env, stdin, stdout, stderr, signal } = process
  const output = createOutput({ stdout, stderr, json: options.json === true, verbose: options.verbose === true })
  try {
    return await action({ env, stdin, stdout, stderr, signal, output, configPath: options.config ?? defaultConfigPath() })
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    output.error(error.code, error.message)
    return error.exitCode
  }
}

const EXAMPLES = {
  program: `
Examples:
  $ sallyport enroll --panel https://panel.example.com
  $ sallyport run --local-port 25565

Environment:
  SALLYPORT_PANEL    the panel's URL
  SALLYPORT_TOKEN    the device token, instead of the configuration file
  SALLYPORT_API_KEY  an administrator's key, for 'enroll --kind server'

Exit codes:
  0 done   1 failure   2 wrong usage   3 not enrolled or token refused   69 panel out of reach`,
  enroll: `
Examples:
  $ sallyport enroll --panel https://panel.example.com
  $ sallyport enroll --panel https://panel.example.com --name minecraft-box
  $ SALLYPORT_API_KEY=... sallyport enroll --panel https://panel.example.com --kind server`,
  run: `
Examples:
  $ sallyport run
  $ sallyport run --local-port 25565
  $ sallyport run --local-port 19132 --protocol udp
  $ sallyport run --local-host 192.168.1.20 --local-port 25565 --allow 192.168.1.20:25565`,
  open: `
Examples:
  $ sallyport open --local-port 25565
  $ sallyport open --local-port 27015 --protocol both --json`,
  allocations: `
Examples:
  $ sallyport allocations
  $ sallyport allocations --json`,
  relay: `
Examples:
  $ SALLYPORT_API_KEY=... sallyport enroll --panel https://panel.example.com --kind server
  $ sallyport relay --bind-host 0.0.0.0 --public-host play.example.com
  $ sallyport relay --bind-host 0.0.0.0 --public-host eu.example.com --region eu --port-range 20000-20999

What it serves is kept beside the configuration (<config>.state), so that it serves on after a restart while the panel is away.`,
} as const
