import { existsSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { loadConfig } from '../config/config-file.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { chooseScope, isBooted, requireLinux, requireRights, type ServiceOptions } from './choose-scope.js'
import { type ServicePlaces, servicePlaces } from './places.js'
import { cannotWrite } from './program-file.js'
import { createSystemctl } from './systemctl.js'

/** Stops the service and takes away its unit and program; the enrolment stays. Throws CliError. */
export async function uninstallService(context: CliContext, options: ServiceOptions): Promise<ExitCodeValue> {
  const { output } = context
  requireLinux()
  const scope = chooseScope(options)
  requireRights(scope)
  const places = await findInstalled(context, options)
  const { name, unit, program, config } = places
  if (scope === 'user' || isBooted()) {
    const systemctl = createSystemctl(scope, context)
    if (places.kind === 'server')
      output.notice('stopping', `stopping ${name}: its players have the time of its --drain`)
    const { ok, trouble } = await systemctl.run('disable', '--now', `${name}.service`)
    if (!ok) throw new CliError('systemctl_failed', `${name} cannot be stopped: ${trouble}`)
    await removeFiles(places)
    await systemctl.must('daemon-reload')
    await systemctl.run('reset-failed', `${name}.service`)
  } else {
    output.notice('no_systemd', 'systemd does not run here: files are removed, nothing is stopped')
    await removeFiles(places)
  }
  const kept = config ?? context.configPath
  output.event('uninstalled', `${name} is stopped and removed`, { service: name, scope, unit, program, config: kept })
  output.notice('token_kept', `the token stays in ${kept}; the device stays at the panel until it is removed there`)
  if (scope === 'system' && places.kind === 'server') {
    output.notice('state_kept', 'what the relay served stays in /var/lib/private/sallyport')
  }
  return ExitCode.ok
}

/** The one that is installed; of two, what `--kind` or the configuration says. */
async function findInstalled(context: CliContext, options: ServiceOptions): Promise<ServicePlaces> {
  const { env, configPath } = context
  const scope = chooseScope(options)
  const kinds = options.kind === undefined ? (['client', 'server'] as const) : [options.kind]
  const all = kinds.map((kind) => servicePlaces(scope, kind, { env, home: homedir() }))
  const installed = all.filter(({ unit }) => existsSync(unit))
  const [only] = installed
  if (only === undefined) {
    const names = all.map(({ name }) => name).join(' or ')
    const elsewhere =
      scope === 'user'
        ? 'of this user (with sudo: of the whole machine)'
        : 'of the whole machine (--user: of this user)'
    throw new CliError('not_installed', `there is no service ${names} ${elsewhere}`)
  }
  if (installed.length === 1) return only
  const loaded = await loadConfig(configPath)
  const meant = loaded.ok ? installed.find(({ kind }) => kind === loaded.config.kind) : undefined
  if (meant !== undefined) return meant
  const detail = 'an agent and a relay are installed: give --kind client or --kind server'
  throw new CliError('which_service', detail, ExitCode.usage)
}

async function removeFiles({ unit, program }: ServicePlaces): Promise<void> {
  for (const path of [unit, program]) {
    await rm(path, { force: true }).catch((error: unknown) => {
      throw cannotWrite(path, error)
    })
  }
  // Another service's program may be there.
  await rmdir(dirname(program)).catch(() => {})
}
