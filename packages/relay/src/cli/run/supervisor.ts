import type { Agent } from '../../agent-types.js'
import type { CliContext } from '../context.js'
import { createNotifier } from '../service/notify.js'
import type { RunBoard } from './run-board.js'
import { statusSummary } from './status-lines.js'

/** A panel that is away must not keep a machine from coming up: what holds without it is served already. */
const READY_AFTER_MS = 10_000
const STATUS_EVERY_MS = 5_000

/** Tells systemd, when it started this, that the agent is ready, how it stands, and that it lives. */
export function tellSupervisor(
  context: Pick<CliContext, 'env' | 'output'>,
  agent: Pick<Agent, 'links'>,
  board: RunBoard,
  readyAfterMs: number = READY_AFTER_MS,
): { stop(): Promise<void> } {
  const { env, output } = context
  const notifier = createNotifier(env, { onProblem: (detail) => output.notice('supervisor', detail) })
  if (!notifier.active) return { stop: async () => {} }
  const startedAt = performance.now()
  let isReady = false
  const summary = () => statusSummary({ board, links: agent.links() })
  function look(): void {
    if (isReady) {
      notifier.status(summary())
    } else if (board.panelState === 'connected' || performance.now() - startedAt >= readyAfterMs) {
      isReady = true
      notifier.ready(summary())
      clearInterval(timer)
      timer = setInterval(look, STATUS_EVERY_MS)
    }
  }
  let timer = setInterval(look, 100)
  // That the timers turn is what there is to know.
  notifier.watchdog(() => true)
  return {
    async stop() {
      clearInterval(timer)
      notifier.stopping()
      await notifier.close()
    },
  }
}
