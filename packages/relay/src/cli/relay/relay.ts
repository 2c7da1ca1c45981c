import { isReadableOnTheWay, showPanel } from '../../control/panel-url.js'
import type { RelayChannel } from '../../control/relay-channel-types.js'
import { RelayError } from '../../errors.js'
import type { Relay } from '../../relay-types.js'
import { within } from '../../within.js'
import { aborted } from '../aborted.js'
import { type Credentials, findCredentials } from '../config/credentials.js'
import { tokenSubject } from '../config/token-subject.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { showAddress } from '../tunnels/target.js'
import { followCertificate, readCertificate } from './certificate-files.js'
import { serveMetrics } from './metrics.js'
import type { RelayCommandOptions } from './relay-options.js'
import { reportRelay } from './relay-report.js'

const STOP_TIMEOUT_MS = 5_000
const DEFAULT_PUBLIC_HOST = 'localhost'
const LOOPBACK = /^(localhost|::1|127(\.\d+){3})$/

/** A stand-alone relay: runs until a signal (0) or until the panel refuses the token (3). Throws CliError. */
export async function relay(context: CliContext, options: RelayCommandOptions): Promise<ExitCodeValue> {
  const { output } = context
  const credentials = await findCredentials(context)
  const id = identify(credentials)
  warn(context, credentials, options)
  const [{ createRelay }, { createRelayChannel }, { fileStorage }] = await Promise.all([
    import('../../relay.js'),
    import('../../control/relay-channel.js'),
    import('../../storage/file.js'),
  ])
  const { bindHost, dataPort, publicHost = DEFAULT_PUBLIC_HOST, encryption, ...more } = options
  const { certificate: certificateFile, privateKey, metricsAddress, ...hello } = more
  const files = await readCertificate(certificateFile, privateKey)
  const storage = fileStorage(`${context.configPath}.state`)
  const { logger } = output
  const served = make(() =>
    createRelay({ id, bindHost, dataPort, publicHost, storage, logger, encryption, ...files?.option }),
  )
  const unfollow = files === undefined ? undefined : followCertificate(files, served, output)
  const token = () => credentials.token
  const channel = createRelayChannel({ panel: credentials.panel, token, relay: served, hello, logger })
  const refused = new AbortController()
  const done = AbortSignal.any([context.signal, refused.signal])
  let refusal = ''
  channel.on('refused', ({ reason, detail }) => {
    refusal = words(reason, detail)
    refused.abort()
  })
  reportRelay({ relay: served, channel, output, panel: showPanel(credentials.panel) })
  let endMetrics = async () => {}
  try {
    await start(served, options)
    endMetrics = await serveMetrics(served, metricsAddress, output)
    const agents = showAddress(publicHost, served.dataPort)
    const { fingerprint } = served
    const fields = { relayId: id, bindHost, publicHost, dataPort: served.dataPort, encryption, fingerprint }
    output.event('relay_ready', `relay ready: agents dial ${agents}, bound to ${bindHost}`, fields)
    if (fingerprint !== undefined) output.event('fingerprint', `certificate ${fingerprint}`, { fingerprint })
    channel.start()
    await aborted(done)
    if (!context.signal.aborted) throw new CliError('token_refused', refusal, ExitCode.notEnrolled)
    output.event('stopping', 'stopping')
    return ExitCode.ok
  } finally {
    unfollow?.()
    await endMetrics()
    await stop(served, channel)
  }
}

/** The relay's id is that of its device. */
function identify({ deviceId, token }: Credentials): string {
  const id = deviceId ?? tokenSubject(token)
  if (id !== undefined) return id
  const detail = "this is no device token: enrol with 'sallyport enroll --panel URL --kind server'"
  throw new CliError('not_enrolled', detail, ExitCode.notEnrolled)
}

function warn({ output }: CliContext, { panel }: Credentials, options: RelayCommandOptions): void {
  const { bindHost, publicHost, encryption } = options
  if (isReadableOnTheWay(panel)) {
    const detail = `${showPanel(panel)} is plain http: the token can be read by others on its way`
    output.notice('plain_http', detail)
  }
  if (publicHost === undefined && !LOOPBACK.test(bindHost)) {
    const detail = `players and agents are told to come to '${DEFAULT_PUBLIC_HOST}': give --public-host HOST`
    output.notice('public_host_missing', detail)
  }
  if (encryption === 'off') {
    const detail = 'encryption is off: TCP between agents and this relay, tickets included, can be read on its way'
    output.notice('unencrypted', detail)
  }
}

function make(create: () => Relay): Relay {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof RelayError)) throw error
    throw new CliError('invalid_certificate', error.message)
  }
}

async function start(served: Relay, { bindHost, dataPort }: RelayCommandOptions): Promise<void> {
  try {
    await served.start()
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown }
    const failed = code === 'RELAY_ERR_DATA_PORT' ? 'data_port_unavailable' : 'relay_not_started'
    const what = failed === 'data_port_unavailable' ? `${showAddress(bindHost, dataPort)} cannot be bound` : 'no start'
    throw new CliError(failed, `${what}: ${String(message)}`)
  }
}

function words(reason: string, detail: string): string {
  if (reason === 'declined') return `the panel refuses this relay: ${detail}`
  if (reason === 'relay_id_mismatch') return detail
  return "the panel refuses this device's token: enrol again with 'sallyport enroll --panel URL --kind server'"
}

/** The relay first: how its last connections ended, and what they carried, is told to the panel yet. */
async function stop(served: Relay, channel: RelayChannel): Promise<void> {
  const stopped = served
    .stop()
    .catch(() => {})
    .then(() => channel.stop())
  await within(STOP_TIMEOUT_MS, stopped)
}
