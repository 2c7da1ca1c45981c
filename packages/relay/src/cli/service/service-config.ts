import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { type AgentConfig, defaultConfigPath, errorCode, loadConfig, saveConfig } from '../config/config-file.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'
import { type ServiceKind, type ServicePlaces, type ServiceScope, servicePlaces } from './places.js'

/** The enrolment that a service is to run with. */
export interface ServiceEnrolment {
  config: AgentConfig
  /** The file that it was read from, absolute. */
  path: string
  kind: ServiceKind
}

/**
 * Reads `--config`, or the default, or, when neither is there, what an earlier install has kept. `kind` decides for an enrolment that does not say what it is for.
 * Throws CliError.
 */
export async function findEnrolment(
  context: CliContext,
  scope: ServiceScope,
  kind: ServiceKind | undefined,
): Promise<ServiceEnrolment> {
  const { configPath, output } = context
  const isDefault = configPath === defaultConfigPath()
  const kept = scope === 'system' && isDefault && !existsSync(configPath) ? keptConfigs(context, kind) : []
  for (const path of [resolve(configPath), ...kept]) {
    const loaded = await loadConfig(path)
    if (loaded.ok) {
      const { config } = loaded
      output.secret(config.token)
      if (kind !== undefined && config.kind !== undefined && config.kind !== kind) {
        throw new CliError('wrong_kind', `${path} is enrolled with --kind ${config.kind}`, ExitCode.usage)
      }
      return { config, path, kind: config.kind ?? kind ?? 'client' }
    }
    if (loaded.error !== 'config_missing') throw new CliError(loaded.error, loaded.detail)
  }
  const sudoer = context.env['SUDO_USER']
  const theirs = sudoer && sudoer !== 'root' ? `, or give --config ~${sudoer}/.config/sallyport/agent.json` : ''
  const hint = `run 'sallyport enroll --panel URL' first${theirs}`
  throw new CliError('not_enrolled', `not enrolled (there is no ${configPath}): ${hint}`, ExitCode.notEnrolled)
}

/** Throws CliError when two are there and nothing says which is meant. */
function keptConfigs({ env }: CliContext, kind: ServiceKind | undefined): string[] {
  const kinds: ServiceKind[] = kind === undefined ? ['client', 'server'] : [kind]
  const paths = kinds.flatMap((one) => servicePlaces('system', one, { env, home: homedir() }).config ?? [])
  const present = paths.filter((path) => existsSync(path))
  if (present.length < 2) return present
  const detail = `there are ${present.join(' and ')}: give --kind client or --kind server`
  throw new CliError('which_service', detail, ExitCode.usage)
}

/**
 * Copies the enrolment to where the service has it, mode 0600. `kept`: it was there already; `replaced`: another one was. Throws CliError.
 */
export async function keepEnrolment(
  { config, path }: ServiceEnrolment,
  places: ServicePlaces,
): Promise<'kept' | 'new' | 'replaced'> {
  if (places.config === undefined || places.config === path) return 'kept'
  const present = await loadConfig(places.config)
  // The same device: tunnels and rules that were written there stay.
  if (present.ok && present.config.token === config.token) return 'kept'
  try {
    await saveConfig(places.config, config)
  } catch (error) {
    throw new CliError('not_writable', `${places.config} cannot be written (${errorCode(error)})`)
  }
  return present.ok ? 'replaced' : 'new'
}
