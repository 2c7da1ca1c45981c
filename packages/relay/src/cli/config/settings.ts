import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'
import type { LocalTarget } from '../tunnels/target.js'
import { loadWishes } from './config-file.js'
import { type Credentials, findCredentials } from './credentials.js'

/** What an agent is told from outside the command line. */
export interface AgentSettings {
  credentials: Credentials
  tunnels: readonly LocalTarget[]
  /** Rules as text; undefined: none were written. */
  allow?: readonly string[]
}

export const RELAY_NOT_AGENT =
  "this machine is enrolled as a relay, not as an agent: run 'sallyport relay', or enrol it anew with 'sallyport enroll --panel URL'"

/** As `findCredentials`, and not a relay's. */
export async function findAgentCredentials(context: CliContext): Promise<Credentials> {
  const credentials = await findCredentials(context)
  if (credentials.kind === 'server') throw new CliError('wrong_kind', RELAY_NOT_AGENT, ExitCode.notEnrolled)
  return credentials
}

/** Tunnels and rules come from the configuration file also when the environment gives the token; then there need not be one. Throws CliError. */
export async function findSettings(context: CliContext): Promise<AgentSettings> {
  const credentials = await findAgentCredentials(context)
  const loaded = await loadWishes(context.configPath)
  if (!loaded.ok) {
    if (loaded.error === 'config_missing') return { credentials, tunnels: [] }
    throw new CliError(loaded.error, loaded.detail)
  }
  const { tunnels = [], allow } = loaded.config
  return { credentials, tunnels, ...(allow === undefined ? {} : { allow }) }
}
