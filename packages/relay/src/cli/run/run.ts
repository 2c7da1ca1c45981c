import { createAllowList } from '../../target/allow-rule.js'
import type { LocalSourceMode } from '../../target/local-source.js'
import { within } from '../../within.js'
import { aborted } from '../aborted.js'
import { type AgentSettings, findSettings } from '../config/settings.js'
import { followFile } from '../config/watch-file.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import { type LocalTarget, showAddress } from '../tunnels/target.js'
import { allowRules } from './allow-rules.js'
import { mayDial } from './keep-tunnels.js'
import { showLiveStatus } from './live-status.js'
import { createBoard } from './run-board.js'
import { tellSupervisor } from './supervisor.js'
import { watchForWake } from './wake-watch.js'

export interface RunOptions {
  /** Make this allocation unless the device has it. */
  target?: LocalTarget
  /** `--allow` as given; none: what the configuration file says, or loopback. */
  allow: readonly string[]
  localSource: LocalSourceMode
}

const STOP_TIMEOUT_MS = 5_000

/** The agent: runs until a signal (0) or until the panel refuses the token (3). Throws CliError. */
export async function run(context: CliContext, options: RunOptions): Promise<ExitCodeValue> {
  const { output, configPath } = context
  // Wrong usage is said first, whether this machine is enrolled or not.
  allowRules(options.allow, undefined)
  const settings = await findSettings(context)
  checkTarget(options, settings)
  const { createRunningAgent } = await import('./running-agent.js')
  const board = createBoard()
  const ended = new AbortController()
  const running = createRunningAgent({
    context,
    options,
    board,
    settings,
    onFailed: (error) => ended.abort(error),
  })
  const { agent } = running
  const endings = [
    showLiveStatus(context, agent, board),
    watchForWake({
      onWake(reason) {
        const what = reason === 'clock' ? 'the clock jumped (sleep?)' : "this machine's addresses have changed"
        output.debug(`${what}: looking whether the connections are alive`)
        running.probe()
      },
    }),
    followFile({
      path: configPath,
      present: settings,
      read: () => findSettings(context),
      changed: (next) => running.change(next),
      broken: ({ code, message }) => output.notice(code, `${message}; what held before still holds`),
    }),
  ]
  const supervisor = tellSupervisor(context, agent, board)
  try {
    running.start()
    await aborted(AbortSignal.any([context.signal, ended.signal]))
    if (!context.signal.aborted) throw ended.signal.reason
    for (const end of endings.splice(0)) end()
    output.event('stopping', 'stopping')
    return ExitCode.ok
  } finally {
    board.stopping = true
    for (const end of endings) end()
    await within(STOP_TIMEOUT_MS, Promise.allSettled([running.stop(), supervisor.stop()]))
  }
}

function checkTarget({ target, allow }: RunOptions, settings: AgentSettings): void {
  const list = createAllowList(allowRules(allow, settings.allow))
  if (target === undefined || mayDial(target, list)) return
  const address = showAddress(target.localHost, target.localPort)
  const detail = `this agent may not dial ${address}: add --allow ${address}`
  throw new CliError('target_forbidden', detail, ExitCode.usage)
}
