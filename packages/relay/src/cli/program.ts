import { Command, CommanderError, Option } from 'commander'
import type { LocalSourceMode } from '../target/local-source.js'
import { packageVersion } from '../version.js'
import { asCalled, COMMAND } from './command-name.js'
import type { CliContext } from './context.js'
import { CliError, ExitCode, type ExitCodeValue } from './exit.js'
import { afterHelp, configureHelp } from './help.js'
import { type RelayCommandOptions, relayOptions } from './relay/relay-options.js'
import { serviceCommands } from './service/service-command.js'
import { createOutput } from './terminal/output.js'
import { unblocked } from './terminal/unblocked.js'
import { parseDeviceName } from './tunnels/target.js'
import { readTarget, type TargetOptions, targetOptions } from './tunnels/target-options.js'

/** The process as the command sees it. */
export interface CliProcess {
  /** Without node and script. */
  args: readonly string[]
  /** See `commandName`; default `sallyport`. */
  name?: string
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
  const { name = COMMAND } = process
  const program = new Command(name)
    .description("Opens tunnels from a Sallyport panel's public ports to services on this machine.")
    .version(packageVersion(), '--version', 'print the version')
    .option('--config <file>', 'configuration with the token (default: ~/.config/sallyport/agent.json)')
    .option('--json', 'print JSON, one object on each line')
    .option('--verbose', 'print what happens in detail, on stderr')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .addHelpText('after', afterHelp('sallyport'))
  configureHelp(program, process)

  async function act(command: Command, action: (context: CliContext) => Promise<ExitCodeValue>): Promise<void> {
    finish(await perform(process, command.optsWithGlobals<GlobalOptions>(), action))
  }

  program
    .command('enroll')
    .description('get this machine a token: prints a code and waits until it is approved')
    .option('--panel <url>', "the panel's URL (default: SALLYPORT_PANEL)")
    .option('--name <name>', "the device's name (default: the host name)", parseDeviceName)
    .addOption(
      new Option('--kind <kind>', "client: an agent; server: a relay, needs an administrator's key")
        .choices(['client', 'server'])
        .default('client'),
    )
    .addHelpText('after', afterHelp('enroll'))
    .action(async (options: { panel?: string; name?: string; kind: 'client' | 'server' }, command: Command) => {
      const { enroll } = await import('./enroll/enroll.js')
      await act(command, (context) => enroll(context, options))
    })

  targetOptions(program.command('run'), false)
    .description('run the agent: keeps the tunnels of this device up until it is stopped')
    .option(
      '--allow <host:port[-port]>',
      'let players reach only these targets; repeatable (default: allow in the configuration, else loopback)',
      collect,
      [],
    )
    .addOption(
      new Option('--local-source <source>', 'addresses that services here see players come from; distinct needs Linux')
        .choices(['distinct', 'shared'])
        .default('distinct'),
    )
    .addHelpText('after', afterHelp('run'))
    .action(async (options: TargetOptions & RunFlags, command: Command) => {
      const target = readTarget(options, command)
      const { allow = [], localSource } = options
      const { run } = await import('./run/run.js')
      const flags = { allow, localSource, ...(target ? { target } : {}) }
      await act(command, (context) => unblocked([context.stdout, context.stderr], () => run(context, flags)))
    })

  targetOptions(program.command('open'), true)
    .description('make a tunnel for this device and exit')
    .addHelpText('after', afterHelp('open'))
    .action(async (options: TargetOptions, command: Command) => {
      const target = readTarget(options, command)
      const { open } = await import('./tunnels/open.js')
      if (target) await act(command, (context) => open(context, target))
    })

  program
    .command('allocations')
    .description('list the tunnels of this device; on a terminal, manage them')
    .addHelpText('after', afterHelp('allocations'))
    .action(async (_options: object, command: Command) => {
      const { allocations } = await import('./tunnels/allocations.js')
      await act(command, allocations)
    })

  relayOptions(program.command('relay'))
    .description('run a stand-alone relay for the panel: takes players and agents until it is stopped')
    .addHelpText('after', afterHelp('relay'))
    .action(async (options: RelayCommandOptions, command: Command) => {
      const { relay } = await import('./relay/relay.js')
      await act(command, (context) => unblocked([context.stdout, context.stderr], () => relay(context, options)))
    })

  const service = serviceCommands(program, act)

  program.showHelpAfterError(`(see '${name} --help')`)
  for (const command of program.commands) {
    command.helpOption('-h, --help', 'print this help').allowExcessArguments(false)
    command.showHelpAfterError(`(see '${name} ${command.name()} --help')`)
  }
  for (const command of service.commands) {
    command.helpOption('-h, --help', 'print this help').addHelpText('after', afterHelp('service'))
    command.showHelpAfterError(`(see '${name} service ${command.name()} --help')`)
  }
  return program
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
  const { json = false, verbose = false } = options
  const say = (text: string) => asCalled(text, process.name ?? COMMAND)
  const output = createOutput({ stdout, stderr, json, verbose, say })
  try {
    return await action({
      env,
      stdin,
      stdout,
      stderr,
      signal,
      output,
      configPath: options.config ?? defaultConfigPath(),
    })
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    output.error(error.code, error.message)
    return error.exitCode
  }
}
