import { isDeepStrictEqual } from 'node:util'
import { createAgent } from '../../agent.js'
import type { Agent } from '../../agent-types.js'
import { createAllowList } from '../../target/allow-rule.js'
import { type AgentSettings, findSettings } from '../config/settings.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'
import { proxyFor, relayProxy } from '../panel/proxy.js'
import { isTunnelOf } from '../tunnels/ensure-allocation.js'
import { type LocalTarget, showAddress } from '../tunnels/target.js'
import { allowRules } from './allow-rules.js'
import { keepTunnels, mayDial } from './keep-tunnels.js'
import { openPanelSession, type PanelSession } from './panel-session.js'
import type { RunOptions } from './run.js'
import type { RunBoard } from './run-board.js'
import { createRunReport } from './run-report.js'

export interface RunningAgentOptions {
  context: CliContext
  options: RunOptions
  board: RunBoard
  settings: AgentSettings
  /** What ends the command; once. */
  onFailed: (error: CliError) => void
}

/** An agent with its panel and the tunnels that its owner wants, following what the owner changes. */
export interface RunningAgent {
  readonly agent: Agent
  start(): void
  /** Other settings are in force at once: rules for new players, tunnels that are missing, another panel or token. */
  change(settings: AgentSettings): void
  /** Looks at once whether what stands is alive, and tries what waits. */
  probe(): void
  stop(): Promise<void>
}

/** Throws CliError for a proxy in the environment that is none. */
export function createRunningAgent(parts: RunningAgentOptions): RunningAgent {
  const { context, options, board, onFailed } = parts
  const { output, env } = context
  let { settings } = parts
  checkProxies(env)
  const agent = createAgent({
    allow: allowRules(options.allow, settings.allow),
    localSource: options.localSource,
    logger: output.logger,
    proxy: relayProxy(env),
  })
  const report = createRunReport({
    agent,
    output,
    board,
    isWished: (tunnel) => wishes().some((wish) => isTunnelOf(tunnel, wish)),
  })
  const stopped = new AbortController()
  /** Ends the present pursuit of tunnels. */
  let making = new AbortController()
  let session: PanelSession = openSession()
  /** One change after the other. */
  let changes: Promise<void> = Promise.resolve()

  function openSession(): PanelSession {
    const { credentials } = settings
    const onRefused = (error: CliError) => refused(error, credentials)
    return openPanelSession({ context, agent, board, report, credentials, onRefused })
  }

  function fail(error: unknown): void {
    if (stopped.signal.aborted) return
    onFailed(error instanceof CliError ? error : new CliError('internal_error', String(error)))
  }

  /** The file may hold a newer token already: whoever enrolled anew has often ended the old one before. */
  function refused(error: CliError, { panel, token }: AgentSettings['credentials']): void {
    making.abort()
    void findSettings(context).then(
      (next) => {
        const isOther = next.credentials.token !== token || next.credentials.panel.href !== panel.href
        if (isOther) change(next)
        else fail(error)
      },
      () => fail(error),
    )
  }

  function wishes(): LocalTarget[] {
    return [...(options.target === undefined ? [] : [options.target]), ...settings.tunnels]
  }

  function makeTunnels(strict?: LocalTarget): void {
    making.abort()
    making = new AbortController()
    const { signal } = making
    const list = createAllowList(allowRules(options.allow, settings.allow))
    const wanted = wishes().filter((one) => {
      if (mayDial(one, list)) return true
      const address = showAddress(one.localHost, one.localPort)
      const detail = `the tunnel to ${address} is not made: this agent may not dial it ("allow": ["${address}"] would let it)`
      output.notice('target_forbidden', detail)
      return false
    })
    if (wanted.length === 0) return
    const { client, deviceId } = session
    const { credentials } = settings
    keepTunnels({
      client,
      deviceId,
      targets: withoutDoubles(wanted),
      strict,
      output,
      made: report.made,
      signal,
    }).catch((error: unknown) => {
      if (signal.aborted) return
      const isRefusal = error instanceof CliError && error.exitCode === ExitCode.notEnrolled
      if (isRefusal) refused(error, credentials)
      else fail(error)
    })
  }

  function change(next: AgentSettings): void {
    changes = changes.then(() => apply(next)).catch(fail)
  }

  async function apply(next: AgentSettings): Promise<void> {
    if (stopped.signal.aborted) return
    const before = settings
    settings = next
    if (!isDeepStrictEqual(next.allow, before.allow) && options.allow.length === 0) {
      agent.setAllow(allowRules([], next.allow))
      output.event('allow_changed', `the configuration allows other targets now: ${showRules(next.allow)}`)
    }
    const { credentials } = next
    const isOther =
      credentials.token !== before.credentials.token || credentials.panel.href !== before.credentials.panel.href
    if (isOther) {
      making.abort()
      await session.channel.stop()
      if (stopped.signal.aborted) return
      output.event('credentials_changed', 'the configuration has another enrolment now; reconnecting')
      session = openSession()
      session.channel.start()
    }
    const isWish = !isDeepStrictEqual([next.tunnels, next.allow], [before.tunnels, before.allow])
    if (isOther || isWish) makeTunnels()
  }

  return {
    agent,
    start() {
      session.channel.start()
      // Only now: an agent that runs does not end for what it is told later.
      makeTunnels(options.target)
    },
    change,
    probe() {
      session.channel.probe()
      agent.probe()
    },
    async stop() {
      stopped.abort()
      making.abort()
      await Promise.all([session.channel.stop(), agent.stop()])
    },
  }
}

/** What a relay's address does not come to before the first link is better said at the start. */
function checkProxies(env: CliContext['env']): void {
  for (const url of ['http://panel.invalid', 'https://panel.invalid']) proxyFor(new URL(url), env)
}

function withoutDoubles(targets: readonly LocalTarget[]): LocalTarget[] {
  return targets.filter((one, index) => targets.findIndex((other) => isDeepStrictEqual(one, other)) === index)
}

function showRules(rules: readonly string[] | undefined): string {
  if (rules === undefined) return 'loopback'
  return rules.length === 0 ? 'none' : rules.join(', ')
}
