import { hostname } from 'node:os'
import { isReadableOnTheWay, showPanel } from '../../control/panel-url.js'
import {
  defaultConfigPath,
  errorCode,
  loadConfig,
  loadWishes,
  prepareConfigDirectory,
  saveConfig,
} from '../config/config-file.js'
import { panelFrom } from '../config/credentials.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { readEnrolmentStart } from '../panel/panel-answers.js'
import { createPanelClient, type PanelClientOptions } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import { proxyFor } from '../panel/proxy.js'
import { isInteractive } from '../terminal/terminal.js'
import { MAX_DEVICE_NAME_LENGTH } from '../tunnels/target.js'
import { awaitApproval, cancelled } from './enroll-poll.js'
import { showCode, startWaiting } from './show-code.js'

export interface EnrollOptions {
  panel?: string
  name?: string
  kind: 'client' | 'server'
}

const API_KEY = /^[\x21-\x7e]{1,4096}$/

/** Gets this machine a device token: asks the panel for a code, shows it, waits for its approval, saves the token. Throws CliError. */
export async function enroll(context: CliContext, options: EnrollOptions): Promise<ExitCodeValue> {
  const { output, signal, configPath } = context
  const panel = choosePanel(context, options)
  const key = options.kind === 'server' ? await administratorKey(context) : undefined
  await checkConfig(context)
  if (isReadableOnTheWay(panel)) {
    output.notice('plain_http', `${showPanel(panel)} is plain http: the token can be read by others on its way`)
  }
  const plain = {
    panel,
    proxy: proxyFor(panel, context.env),
    debug: (message: string) => output.debug(message),
  } satisfies PanelClientOptions
  const client = createPanelClient(key === undefined ? plain : { ...plain, authorization: `ApiKey ${key}` })

  const name = options.name ?? (hostname().slice(0, MAX_DEVICE_NAME_LENGTH) || 'agent')
  const body = { name, kind: options.kind }
  const started = await client.request('post', '/api/tunnel/device/start', { body, signal })
  if (!started.ok) throw panelError(started, key === undefined ? 'none' : 'key')
  const start = readEnrolmentStart(started.body)
  output.secret(start.deviceCode)
  const lifetimeMs = start.expiresAt - (started.panelTime ?? Date.now())
  await showCode(context, start, lifetimeMs)
  const stopWaiting = startWaiting(context, lifetimeMs)

  // The code is the credential from here on; the administrator's key stays out of it.
  const approved = await awaitApproval(createPanelClient(plain), start, lifetimeMs, context).finally(stopWaiting)
  output.secret(approved.token)
  const saved = approved.name ?? name
  const { token, deviceId } = approved
  try {
    await saveConfig(configPath, {
      panel: showPanel(panel),
      token,
      name: saved,
      ...(deviceId === undefined ? {} : { deviceId }),
      kind: options.kind,
    })
  } catch (error) {
    const detail = `approved, but ${configPath} cannot be written (${errorCode(error)}): enrol again once it can`
    throw new CliError('config_unwritable', detail)
  }
  output.event('enrolled', `Enrolled as ${saved}; the token is in ${configPath}. ${nextStep(context, options)}`, {
    name: saved,
    panel: showPanel(panel),
    config: configPath,
    kind: options.kind,
    ...(deviceId === undefined ? {} : { deviceId }),
  })
  return ExitCode.ok
}

function nextStep({ configPath }: CliContext, { kind }: EnrollOptions): string {
  const config = configPath === defaultConfigPath() ? '' : ` --config ${configPath}`
  const [who, command] = kind === 'server' ? ['relay', 'relay'] : ['agent', 'run']
  return `Start the ${who} with 'sallyport ${command}${config}'.`
}

function choosePanel({ env }: CliContext, { panel }: EnrollOptions): URL {
  if (panel !== undefined) return panelFrom(panel, '--panel')
  const fromEnv = env['SALLYPORT_PANEL']
  if (fromEnv) return panelFrom(fromEnv, 'SALLYPORT_PANEL')
  throw new CliError('no_panel', 'which panel? Give --panel URL or set SALLYPORT_PANEL', ExitCode.usage)
}

async function administratorKey(context: CliContext): Promise<string> {
  let key = context.env['SALLYPORT_API_KEY']?.trim()
  if (!key && isInteractive(context)) {
    const { askText } = await import('../terminal/ask-text.js')
    const asked = await askText(context, {
      question: "An administrator's API key?",
      hint: 'it is not shown',
      isSecret: true,
      refuse: (text) => (API_KEY.test(text) ? undefined : 'This is no API key.'),
    })
    if (asked.kind !== 'answer') throw cancelled()
    key = asked.value
  }
  if (!key) {
    const detail = "--kind server needs an administrator's API key in SALLYPORT_API_KEY"
    throw new CliError('no_api_key', detail, ExitCode.usage)
  }
  if (!API_KEY.test(key)) throw new CliError('invalid_api_key', 'this is no API key', ExitCode.usage)
  context.output.secret(key)
  return key
}

/** Before anyone is asked to approve: can the token be saved, can what stays of the file be read, and does it take another's place? */
async function checkConfig({ configPath, output }: CliContext): Promise<void> {
  try {
    await prepareConfigDirectory(configPath)
  } catch (error) {
    throw new CliError('config_unwritable', `${configPath} cannot be written (${errorCode(error)})`)
  }
  const wishes = await loadWishes(configPath)
  if (!wishes.ok && wishes.error !== 'config_missing') {
    const what = wishes.error === 'config_permissions' ? '' : ': mend it, or take it away'
    throw new CliError(wishes.error, `${wishes.detail}${what}`)
  }
  if (!(await loadConfig(configPath)).ok) return
  output.notice(
    'config_replaced',
    `${configPath} holds an enrolment already; it is replaced once the new one is approved`,
  )
}
