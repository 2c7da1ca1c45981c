import { type Command, Option } from 'commander'
import type { CliContext } from '../context.js'
import type { ExitCodeValue } from '../exit.js'
import { afterHelp } from '../help.js'
import type { ServiceOptions } from './choose-scope.js'

type Act = (command: Command, action: (context: CliContext) => Promise<ExitCodeValue>) => Promise<void>

/** Adds `service install` and `service uninstall`. What stands behind `--` is judged by the program's own `run` or `relay`. */
export function serviceCommands(program: Command, act: Act): Command {
  const service = program
    .command('service')
    .description('let systemd keep the agent or the relay running')
    .helpCommand(false)
    .addHelpText('after', afterHelp('service'))

  common(service.command('install').argument('[arguments...]', "behind '--': for 'sallyport run' or 'sallyport relay'"))
    .description('install and start the service of this enrolment, or bring it to this version')
    .option('--dry-run', 'print the unit and change nothing')
    .action(async (args: string[], options: ServiceOptions & { dryRun?: boolean }, command: Command) => {
      const { installService } = await import('./install.js')
      const commandOf = (name: string) => {
        const found = program.commands.find((one) => one.name() === name)
        if (found === undefined) throw new TypeError(`no command ${name}`)
        return found
      }
      await act(command, (context) => installService(context, { ...options, args, commandOf }))
    })

  common(service.command('uninstall'))
    .description('stop the service and remove it; the token stays')
    .action(async (options: ServiceOptions, command: Command) => {
      const { uninstallService } = await import('./uninstall.js')
      await act(command, (context) => uninstallService(context, options))
    })
  return service
}

function common(command: Command): Command {
  return command
    .option('--system', 'of the whole machine, as root (default for root)')
    .option('--user', 'of this user (default for others)')
    .addOption(
      new Option('--kind <kind>', 'agent or relay').choices(['client', 'server']).default(undefined, "the enrolment's"),
    )
}
