import { parsePanelUrl } from '../../control/panel-url.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'
import { loadConfig } from './config-file.js'

export interface Credentials {
  panel: URL
  token: string
  deviceId?: string
  /** As enrolled; undefined when the token is not from the file, or the file is an old one. */
  kind?: 'client' | 'server'
}

/** Who this device is and where its panel: from the environment, else from the config file. Throws CliError. */
export async function findCredentials(context: CliContext): Promise<Credentials> {
  const fromEnv = {
    panel: context.env['SALLYPORT_PANEL'] || undefined,
    token: context.env['SALLYPORT_TOKEN'] || undefined,
  }
  if (fromEnv.token !== undefined && fromEnv.panel !== undefined) {
    context.output.secret(fromEnv.token)
    return { panel: panelFrom(fromEnv.panel, 'SALLYPORT_PANEL'), token: fromEnv.token }
  }
  const loaded = await loadConfig(context.configPath)
  if (!loaded.ok) {
    if (loaded.error !== 'config_missing') throw new CliError(loaded.error, loaded.detail)
    const missing = fromEnv.token === undefined ? 'not enrolled' : 'SALLYPORT_TOKEN is set, but no panel is known'
    const hint = fromEnv.token === undefined ? "run 'sallyport enroll --panel URL' first" : 'set SALLYPORT_PANEL too'
    throw new CliError('not_enrolled', `${missing} (${loaded.detail}): ${hint}`, ExitCode.notEnrolled)
  }
  const { config } = loaded
  context.output.secret(config.token)
  if (fromEnv.token !== undefined) context.output.secret(fromEnv.token)
  return {
    panel:
      fromEnv.panel === undefined
        ? panelFrom(config.panel, context.configPath, ExitCode.failure)
        : panelFrom(fromEnv.panel, 'SALLYPORT_PANEL'),
    token: fromEnv.token ?? config.token,
    ...(fromEnv.token === undefined && config.deviceId !== undefined ? { deviceId: config.deviceId } : {}),
    ...(fromEnv.token === undefined && config.kind !== undefined ? { kind: config.kind } : {}),
  }
}

/** Throws CliError naming `source`; the URL itself is not repeated, it may hold a password. */
export function panelFrom(text: string, source: string, exitCode: 1 | 2 = ExitCode.usage): URL {
  const parsed = parsePanelUrl(text)
  if (!parsed.ok) throw new CliError('invalid_panel', `${source}: ${parsed.detail}`, exitCode)
  return parsed.url
}
