import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { chooseScope, isBooted, requireLinux, requireRights, type ServiceOptions } from './choose-scope.js'
import { type ServicePlaces, servicePlaces } from './places.js'
import { cannotWrite, findBundle, findNode, installProgram } from './program-file.js'
import { sayInstalled } from './say-installed.js'
import { readServiceArguments } from './service-arguments.js'
import { findEnrolment, keepEnrolment, type ServiceEnrolment } from './service-config.js'
import { startService } from './start-service.js'
import { checkManager, createSystemctl } from './systemctl.js'
import { unitArguments, unitText } from './unit.js'
import { writeUnit } from './unit-file.js'

export interface InstallOptions extends ServiceOptions {
  dryRun?: boolean
  /** Behind `--`; none: those of the installed unit. */
  args: readonly string[]
  /** The command `run` or `relay`, to judge the arguments by. */
  commandOf: (name: 'run' | 'relay') => Command
}

/** What a relay needs to say farewell, beside the time that its players have. */
const STOP_SECONDS = 15

/** Makes a service of this enrolment and starts it; of an installed one, brings it to this version. Throws CliError. */
export async function installService(context: CliContext, options: InstallOptions): Promise<ExitCodeValue> {
  const { output, env } = context
  requireLinux()
  const scope = chooseScope(options)
  const enrolment = await findEnrolment(context, scope, options.kind)
  const places = servicePlaces(scope, enrolment.kind, { env, home: homedir() })
  const node = await findNode(places, process.execPath)
  const text = await makeUnit(places, node, enrolment, options)
  if (options.dryRun) {
    output.result(
      { unit: text, path: places.unit, program: places.program, config: places.config ?? enrolment.path },
      text.trimEnd(),
    )
    return ExitCode.ok
  }
  requireRights(scope)
  const bundle = await findBundle(process.argv[1])
  if (scope === 'system' && !isBooted()) {
    const detail =
      "systemd does not run this machine: see the unit with --dry-run, and start 'sallyport' by other means"
    throw new CliError('no_systemd', detail)
  }
  const systemctl = createSystemctl(scope, context)
  await checkManager(systemctl, scope)

  const kept = await keepEnrolment(enrolment, places)
  const isNewProgram = await installProgram(bundle, places).catch((error: unknown) => {
    throw cannotWrite(places.program, error)
  })
  const isNewUnit = await writeUnit(places.unit, text)
  output.debug('written', { ...kept, isNewProgram, isNewUnit })
  await systemctl.must('daemon-reload')
  await systemctl.must('enable', `${places.name}.service`)
  const isNewConfig = kept.copy === 'replaced' || kept.copy === 'updated'
  await startService(context, systemctl, places, { isNewConfig, isNewProgram, isNewUnit })
  sayInstalled(context, places, { config: enrolment.path, kept })
  return ExitCode.ok
}

async function makeUnit(
  places: ServicePlaces,
  node: string,
  enrolment: ServiceEnrolment,
  { args, commandOf }: InstallOptions,
): Promise<string> {
  const installed = await readFile(places.unit, 'utf8').catch(() => undefined)
  const given = args.length > 0 ? args : (installed && unitArguments(installed)) || []
  const { drainSeconds, ...read } = readServiceArguments(commandOf(places.command), places, given)
  return unitText({ places, node, userConfig: enrolment.path, stopSeconds: STOP_SECONDS + drainSeconds, ...read })
}
