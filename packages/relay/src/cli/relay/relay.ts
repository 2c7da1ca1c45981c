import { showPanel } from '../../control/panel-url.js'
import { RelayError } from '../../errors.js'
import type { Relay } from '../../relay-types.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { proxyFor } from '../panel/proxy.js'
import { watchForWake } from '../run/wake-watch.js'
import { createNotifier } from '../service/notify.js'
import { followCertificate, readCertificate } from './certificate-files.js'
import { serveMetrics } from './metrics.js'
import { findRelayCredentials } from './relay-credentials.js'
import { leaveRelay, stopRelay } from './relay-end.js'
import { type LifeEnd, watchLife } from './relay-life.js'
import type { RelayCommandOptions } from './relay-options.js'
import { sayReady, tellSystemd } from './relay-ready.js'
import { reportRelay } from './relay-report.js'
import { listenToSignals, type RelaySignals } from './relay-signals.js'
import { DEFAULT_PUBLIC_HOST, optionError, startError, warnOf } from './relay-words.js'
import { prepareStateFile } from './state-file.js'
import { isSuccessor } from './succession.js'
import { adoptUntold } from './untold-connections.js'

/**
 * A stand-alone relay: runs until a signal (0), until the panel refuses the token (3), or until another process has taken over and the last
 * player has left. Throws CliError.
 */
export async function relay(context: CliContext, options: RelayCommandOptions): Promise<ExitCodeValue> {
  const signals = listenToSignals(context)
  try {
    return await serve(context, options, signals)
  } finally {
    signals.close()
    // The process before this one is waiting for the end.
    process.channel?.unref()
  }
}

async function serve(context: CliContext, options: RelayCommandOptions, signals: RelaySignals): Promise<ExitCodeValue> {
  const { output, env } = context
  const isHeir = isSuccessor(env)
  const credentials = await findRelayCredentials(context)
  if (!isHeir) warnOf(context, credentials, options)
  const [{ createRelay }, { createRelayChannel }, { fileStorage }] = await Promise.all([
    import('../../relay.js'),
    import('../../control/relay-channel.js'),
    import('../../storage/file.js'),
  ])
  const { panel, token, id } = credentials
  const { bindHost, dataPort, publicHost = DEFAULT_PUBLIC_HOST, encryption } = options
  const files = await readCertificate(options.certificate, options.privateKey)
  const state = await prepareStateFile(options.state ?? `${context.configPath}.state`)
  const { logger } = output
  const common = { id, bindHost, dataPort, publicHost, storage: fileStorage(state.path), logger, encryption }
  const predecessor = isHeir ? { predecessor: process } : {}
  const served = make(() => createRelay({ ...common, ...files?.option, ...predecessor }), options)
  const proxy = proxyFor(panel, env)
  const channel = createRelayChannel({
    panel,
    token: () => token,
    relay: served,
    hello: helloOf(options),
    logger,
    ...(proxy === undefined ? {} : { proxy }),
  })
  const notifier = createNotifier(env, { onProblem: (detail) => output.notice('systemd', detail) })
  const running = { context, options, served, channel, notifier, signals, isHeir }
  const before = isHeir ? adoptUntold(served, channel) : undefined
  await served.start().catch((error: unknown) => {
    throw startError(error, options, state.path)
  })
  const certificate = files === undefined ? undefined : followCertificate(files, served, output)
  const endReport = reportRelay({ relay: served, channel, output, panel: showPanel(panel) })
  const endWake = watchForWake({ onWake: () => channel.probe() })
  const life = watchLife({
    context,
    relay: served,
    channel,
    signals,
    notifier,
    onUpgrade: () => void certificate?.look(),
  })
  // What the players of the process before have to say comes at once.
  if (isHeir) channel.start()
  before?.channelStarted()
  let isKnown = isHeir
  channel.on('connected', () => {
    isKnown = true
  })
  let endMetrics = async () => {}
  let endSystemd = () => {}
  let end: LifeEnd | undefined
  try {
    const { metricsAddress: address } = options
    endMetrics = await serveMetrics({ relay: served, address, output, fromPredecessor: isHeir })
    sayReady(running)
    endSystemd = tellSystemd(running, () => life.isUpgrading)
    channel.start()
    end = await life.ended
  } finally {
    endSystemd()
    endWake()
    certificate?.end()
    endReport()
    const metricsEnded = endMetrics()
    if (end?.kind !== 'handed_over') {
      await metricsEnded
      await stopRelay(running, end)
    }
  }
  if (end.kind === 'handed_over') return leaveRelay(running, end)
  if (end.kind === 'stopped') return ExitCode.ok
  if (!isKnown) await state.discard()
  throw new CliError('token_refused', end.detail, ExitCode.notEnrolled)
}

function helloOf({ hostGroup, region, capacity, portRange }: RelayCommandOptions) {
  return {
    ...(hostGroup === undefined ? {} : { hostGroup }),
    ...(region === undefined ? {} : { region }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(portRange === undefined ? {} : { portRange }),
  }
}

function make(create: () => Relay, options: RelayCommandOptions): Relay {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof RelayError)) throw error
    throw optionError(error, options)
  }
}
