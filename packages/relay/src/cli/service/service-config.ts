import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type AgentConfig,
  defaultConfigPath,
  errorCode,
  loadConfig,
  replaceConfig,
  saveConfig,
} from '../config/config-file.js'
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

/** What became of the service's own copy. */
export interface KeptEnrolment {
  /** It was there already, it is new, it has another token now, or (the same token) the newer settings of the owner's file. */
  copy: 'kept' | 'new' | 'replaced' | 'updated'
  /** Settings that stay in the copy, though the owner's file has others. */
  others: string[]
}

/**
 * Copies the enrolment to where the service has it, mode 0600. Either file may have been edited since: of one token the newer file holds; another token takes the
 * place of the one before, and of it alone. Throws CliError.
 */
export async function keepEnrolment(
  { config, path, kind }: ServiceEnrolment,
  places: ServicePlaces,
): Promise<KeptEnrolment> {
  const { config: copy } = places
  if (copy === undefined || copy === path) return { copy: 'kept', others: [] }
  const present = await loadConfig(copy)
  try {
    if (!present.ok) {
      await saveConfig(copy, config)
      return { copy: 'new', others: [] }
    }
    const isSame = present.config.token === config.token
    if (!isSame) await saveConfig(copy, config)
    const names = kind === 'server' ? (['panel'] as const) : (['panel', 'tunnels', 'allow'] as const)
    const others = names.filter((name) => !isDeepStrictEqual(present.config[name], config[name]))
    if (!isSame) return { copy: 'replaced', others: others.filter((name) => name !== 'panel') }
    if (others.length === 0 || (await writtenAt(path)) <= (await writtenAt(copy))) return { copy: 'kept', others }
    await replaceConfig(copy, config)
    return { copy: 'updated', others: [] }
  } catch (error) {
    throw new CliError('not_writable', `${copy} cannot be written (${errorCode(error)})`)
  }
}

async function writtenAt(path: string): Promise<number> {
  return (await stat(path)).mtimeMs
}
