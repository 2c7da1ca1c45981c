import { isIP } from 'node:net'
import type { Agent } from '../../agent-types.js'
import { retryDelay } from '../../backoff.js'
import type { ControlChannel } from '../../control/control-channel-types.js'
import { isReadableOnTheWay, showPanel } from '../../control/panel-url.js'
import { RelayError } from '../../errors.js'
import { type AllowRule, createAllowList, LOOPBACK_RULES, parseAllowRule } from '../../target/allow-rule.js'
import type { LocalSourceMode } from '../../target/local-source.js'
import { within } from '../../within.js'
import { aborted } from '../aborted.js'
import { type Credentials, findCredentials } from '../config/credentials.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { createPanelClient, type PanelFailure } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import { ensureAllocations } from '../tunnels/ensure-allocation.js'
import { type LocalTarget, showAddress, showTunnel } from '../tunnels/target.js'
import { wait } from '../wait.js'
import { reportRun } from './run-report.js'

export interface RunOptions {
  /** Make this allocation unless the device has it. */
  target?: LocalTarget
  /** `--allow` as given; none: loopback. */
  allow: readonly string[]
  localSource: LocalSourceMode
}

const STOP_TIMEOUT_MS = 5_000

/** The agent: runs until a signal (0) or until the panel refuses the token (3). Throws CliError. */
export async function run(context: CliContext, options: RunOptions): Promise<ExitCodeValue> {
  const { output } = context
  const allow = readRules(options.allow)
  if (options.target) checkTarget(options.target, allow)
  const credentials = await findCredentials(context)
  if (isReadableOnTheWay(credentials.panel)) {
    const detail = `${showPanel(credentials.panel)} is plain http: the token can be read by others on its way`
    output.notice('plain_http', detail)
  }
  const [{ createAgent }, { createControlChannel }] = await Promise.all([
    import('../../agent.js'),
    import('../../control/control-channel.js'),
  ])
  const agent = createAgent({ allow, localSource: options.localSource, logger: output.logger })
  const channel = createControlChannel({
    panel: credentials.panel,
    token: () => credentials.token,
    agent,
    logger: output.logger,
  })
  const refused = new AbortController()
  const done = AbortSignal.any([context.signal, refused.signal])
  channel.on('refused', () => refused.abort())
  reportRun({ agent, channel, output, panel: showPanel(credentials.panel) })
  try {
    channel.start()
    if (options.target) await ensureTarget(context, credentials, options.target, done)
    await aborted(done)
    if (!context.signal.aborted) {
      const detail = "the panel refuses this device's token: enrol again with 'sallyport enroll --panel URL'"
      throw new CliError('token_refused', detail, ExitCode.notEnrolled)
    }
    output.event('stopping', 'stopping')
    return ExitCode.ok
  } finally {
    await stop(agent, channel)
  }
}

function readRules(texts: readonly string[]): readonly AllowRule[] {
  if (texts.length === 0) return LOOPBACK_RULES
  return texts.map((text) => {
    try {
      return parseAllowRule(text)
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      throw new CliError('invalid_allow', `--allow: ${error.message}`, ExitCode.usage)
    }
  })
}

/** A tunnel that our own rules would refuse is a slip; better said now than to the first player. A name is judged only when dialled. */
function checkTarget({ localHost, localPort }: LocalTarget, rules: readonly AllowRule[]): void {
  const list = createAllowList(rules)
  const allowed = isIP(localHost) === 0 ? list.allowsPort(localPort) : list.allowsAddress(localHost, localPort)
  if (allowed) return
  const address = showAddress(localHost, localPort)
  const detail = `this agent may not dial ${address}: add --allow ${address}`
  throw new CliError('target_forbidden', detail, ExitCode.usage)
}

/** Keeps trying while that can help: the panel may come later than its agent. */
async function ensureTarget(
  context: CliContext,
  { panel, token, deviceId }: Credentials,
  target: LocalTarget,
  done: AbortSignal,
): Promise<void> {
  const { output } = context
  const debug = (message: string) => output.debug(message)
  const client = createPanelClient({ panel, authorization: `Bearer ${token}`, debug })
  let told = ''
  for (let attempt = 0; !done.aborted; attempt += 1) {
    const result = await ensureAllocations(client, target, deviceId, done)
    if (result.ok) {
      for (const allocation of result.made) {
        output.event('allocation_made', `made the tunnel ${showTunnel(allocation)}`, { allocation })
      }
      return
    }
    if (done.aborted) return
    if (!isPassing(result)) throw panelError(result, 'token')
    // The control channel says itself that the panel is away or tunnels are off.
    if (result.kind === 'problem' && result.error !== told) {
      told = result.error
      output.notice(
        'allocation_waits',
        `the tunnel cannot be made yet, trying on: ${panelError(result, 'token').message}`,
      )
    }
    await wait(Math.max(retryDelay(attempt), Math.min(result.retryAfterMs ?? 0, 60_000)), done)
  }
}

function isPassing(failure: PanelFailure): boolean {
  if (failure.kind === 'unauthorized') return false
  if (failure.kind === 'problem') return failure.status === 429 || (failure.status ?? 0) >= 500
  return true
}

async function stop(agent: Agent, channel: ControlChannel): Promise<void> {
  await within(STOP_TIMEOUT_MS, Promise.allSettled([channel.stop(), agent.stop()]))
}
