import { hostname } from 'node:os'
import { isReadableOnTheWay, showPanel } from '../../control/panel-url.js'
import { errorCode, loadConfig, prepareConfigDirectory, saveConfig } from '../config/config-file.js'
import { panelFrom } from '../config/credentials.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { type EnrolmentStart, readEnrolmentStart } from '../panel/panel-answers.js'
import { createPanelClient, type PanelClientOptions } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import { canPrompt, promptSecret } from '../terminal/prompt.js'
import { MAX_DEVICE_NAME_LENGTH } from '../tunnels/target.js'
import { awaitApproval } from './enroll-poll.js'

export interface EnrollOptions {
  panel?: string
  name?: string
  kind: 'client' | 'server'
}

/** Gets this machine a device token: asks the panel for a code, shows it, waits for its approval, saves the token. Throws CliError. */
export async function enroll(context: CliContext, options: EnrollOptions): Promise<ExitCodeValue> {
  const { output, signal, configPath } = context
  const panel = choosePanel(context, options)
  const key = options.kind === 'server' ? await administratorKey(context) : undefined
  await checkConfig(context)
  if (isReadableOnTheWay(panel)) {
    output.notice('plain_http', `${showPanel(panel)} is plain http: the token can be read by others on its way`)
  }
  const client = createPanelClient({
    panel,
    ...(key === undefined ? {} : { authorization: `ApiKey ${key}` }),
    debug: (message: string) => output.debug(message),
  } satisfies PanelClientOptions)

  const name = options.name ?? (hostname().slice(0, MAX_DEVICE_NAME_LENGTH) || 'agent')
  const body = { name, kind: options.kind }
  const started = await client.request({ method: 'POST', path: '/api/tunnel/device/start', body, signal })
  if (!started.ok) throw panelError(started, key === undefined ? 'none' : 'key')
  const start = readEnrolmentStart(started.body)
  output.secret(start.deviceCode)
  showCode(context, start)

  // The code is the credential from here on; the administrator's key stays out of it.
  const poller = createPanelClient({ panel, debug: (message) => output.debug(message) })
  const approved = await awaitApproval(poller, start, context)
  output.secret(approved.token)
  const saved = approved.name ?? name
  const { token, deviceId } = approved
  try {
    await saveConfig(configPath, {
      panel: showPanel(panel),
      token,
      name: saved,
      ...(deviceId === undefined ? {} : { deviceId }),
    })
  } catch (error) {
    const detail = `approved, but ${configPath} cannot be written (${errorCode(error)}): enrol again once it can`
    throw new CliError('config_unwritable', detail)
  }
  const next = options.kind === 'server' ? "relay with 'sallyport relay'" : "agent with 'sallyport run'"
  output.event('enrolled', `Enrolled as ${saved}; the token is in ${configPath}. Start the ${next}.`, {
    name: saved,
    panel: showPanel(panel),
    config: configPath,
  })
  return ExitCode.ok
}

function choosePanel({ env }: CliContext, { panel }: EnrollOptions): URL {
  if (panel !== undefined) return panelFrom(panel, '--panel')
  const fromEnv = env['SALLYPORT_PANEL']
  if (fromEnv) return panelFrom(fromEnv, 'SALLYPORT_PANEL')
  throw new CliError('no_panel', 'which panel? Give --panel URL or set SALLYPORT_PANEL', ExitCode.usage)
}

async function administratorKey(context: CliContext): Promise<string> {
  let key = context.env['SALLYPORT_API_KEY']?.trim()
  if (!key && canPrompt(context)) key = await promptSecret(context, "An administrator's API key")
  if (!key) {
    const detail = "--kind server needs an administrator's API key in SALLYPORT_API_KEY"
    throw new CliError('no_api_key', detail, ExitCode.usage)
  }
  if (!/^[\x21-\x7e]{1,4096}$/.test(key)) throw new CliError('invalid_api_key', 'this is no API key', ExitCode.usage)
  context.output.secret(key)
  return key
}

/** Before anyone is asked to approve: can the token be saved, and does it take another's place? */
async function checkConfig({ configPath, output }: CliContext): Promise<void> {
  try {
    await prepareConfigDirectory(configPath)
  } catch (error) {
    throw new CliError('config_unwritable', `${configPath} cannot be written (${errorCode(error)})`)
  }
  const loaded = await loadConfig(configPath)
  if (!loaded.ok) return
  output.secret(loaded.config.token)
  output.notice(
    'config_replaced',
    `${configPath} holds an enrolment already; it is replaced once the new one is approved`,
  )
}

function showCode({ output }: CliContext, start: EnrolmentStart): void {
  const { userCode, verificationUri } = start
  const link = start.verificationUriComplete ?? verificationUri
  const minutes = Math.max(1, Math.round((start.expiresAt - Date.now()) / 60_000))
  const fields = { userCode, verificationUri, link, expiresAt: new Date(start.expiresAt).toISOString() }
  if (output.json) {
    output.event('code', `approve ${userCode} at ${link}`, fields)
    return
  }
  output.event('code', `Have an administrator approve this code (good for about ${minutes} min):`)
  output.event('code', `    code  ${userCode}`)
  output.event('code', `    link  ${link}`)
  output.event('code', 'Waiting for the approval ...')
}
