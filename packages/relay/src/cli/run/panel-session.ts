import type { Agent } from '../../agent-types.js'
import { createControlChannel } from '../../control/control-channel.js'
import type { ControlChannel } from '../../control/control-channel-types.js'
import { isReadableOnTheWay, showPanel } from '../../control/panel-url.js'
import type { Credentials } from '../config/credentials.js'
import { RELAY_NOT_AGENT } from '../config/settings.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'
import { createPanelClient, type PanelClient } from '../panel/panel-client.js'
import { proxyFor, showProxy } from '../panel/proxy.js'
import type { RunBoard } from './run-board.js'
import type { RunReport } from './run-report.js'

/** One panel with one token, for as long as these hold. */
export interface PanelSession {
  readonly channel: ControlChannel
  readonly client: PanelClient
  /** As the file or the panel says. */
  deviceId(): string | undefined
}

export interface PanelSessionOptions {
  context: CliContext
  agent: Agent
  board: RunBoard
  report: RunReport
  credentials: Credentials
  /** The panel will not have this token, or not as an agent's; the channel has ended. */
  onRefused: (error: CliError) => void
}

/** Throws CliError for a proxy in the environment that is none. */
export function openPanelSession(options: PanelSessionOptions): PanelSession {
  const { context, agent, board, report, credentials, onRefused } = options
  const { output, env } = context
  const { panel, token } = credentials
  let { deviceId } = credentials
  board.panel = showPanel(panel)
  if (isReadableOnTheWay(panel)) {
    output.notice('plain_http', `${board.panel} is plain http: the token can be read by others on its way`)
  }
  const proxy = proxyFor(panel, env)
  if (proxy !== undefined) {
    output.secret(proxy.password)
    output.debug(`${board.panel} is reached by the proxy ${showProxy(proxy)}`)
  }
  const channel = createControlChannel({
    panel,
    token: () => token,
    agent,
    logger: output.logger,
    ...(proxy === undefined ? {} : { proxy }),
  })
  report.follow(channel)
  channel.on('connected', (welcome) => {
    deviceId = welcome.deviceId
  })
  const off = channel.on('state', ({ relays }) => {
    off()
    // Those of another panel, or of another device; of the same device they are among the relays.
    const wanted = new Set(relays.map(({ id }) => id))
    for (const { relayId } of agent.links()) if (!wanted.has(relayId)) agent.disconnect(relayId)
  })
  channel.on('refused', () => {
    const detail = "the panel refuses this device's token: enrol again with 'sallyport enroll --panel URL'"
    onRefused(new CliError('token_refused', detail, ExitCode.notEnrolled))
  })
  channel.on('disconnected', ({ reason }) => {
    if (reason !== 'wrong_kind') return
    void channel.stop()
    onRefused(new CliError('wrong_kind', RELAY_NOT_AGENT, ExitCode.notEnrolled))
  })
  const client = createPanelClient({
    panel,
    authorization: `Bearer ${token}`,
    proxy,
    debug: (message) => output.debug(message),
  })
  return { channel, client, deviceId: () => deviceId }
}
