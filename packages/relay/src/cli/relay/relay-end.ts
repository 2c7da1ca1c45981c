import { within } from '../../within.js'
import type { ExitCodeValue } from '../exit.js'
import { afterUpgrade } from './after-upgrade.js'
import type { LifeEnd } from './relay-life.js'
import type { RunningRelay } from './running-relay.js'
import { passUntold } from './untold-connections.js'

const STOP_TIMEOUT_MS = 5_000

/** The relay first: how its last connections ended, and what they carried, is told to the panel yet. */
export async function stopRelay(running: RunningRelay, end: LifeEnd | undefined): Promise<void> {
  const { context, options, served, channel, notifier, signals } = running
  const drainS = end?.kind === 'stopped' ? options.drain : 0
  const patience = drainS === 0 ? '' : `: players may finish for ${drainS} s, a second signal cuts them`
  if (end?.kind === 'stopped') context.output.event('stopping', `stopping${patience}`, { drain: drainS })
  notifier.stopping()
  channel.drain()
  signals.handle({
    stop: () => void served.stop(),
    upgrade: () => context.output.notice('upgrade_ignored', 'SIGHUP is ignored: the relay is stopping'),
  })
  const stopped = served
    .stop({ graceMs: drainS * 1_000 })
    .catch(() => {})
    .then(() => channel.stop())
  await within(drainS * 1_000 + STOP_TIMEOUT_MS, stopped)
  await notifier.close()
}

/** Another process serves: this one says no more to anybody but that one. */
export async function leaveRelay(
  running: RunningRelay,
  end: LifeEnd & { kind: 'handed_over' },
): Promise<ExitCodeValue> {
  const { context, options, served, channel, notifier, signals } = running
  // Those of UDP have gone over.
  const tcp = new Set(served.status().allocations.flatMap((one) => (one.protocol === 'tcp' ? [one.allocationId] : [])))
  const players = served.traffic().reduce((sum, { allocationId, open }) => sum + (tcp.has(allocationId) ? open : 0), 0)
  const { successor, stopped } = end
  const staying = players === 0 ? '' : `; players who stay with the old program until they leave: ${players}`
  const message = `handed over to process ${successor.child.pid}${staying}`
  context.output.event('handed_over', message, { pid: successor.child.pid, players })
  const mayLeave = notifier.active
  // Before this one ends: whoever follows it would take that for the end of the service.
  if (successor.child.pid !== undefined) notifier.mainPid(successor.child.pid)
  const gone = Promise.all([channel.stop(), notifier.close()])
  passUntold(channel, successor.child)
  const [drainMs, lingerMs] = [options.drain * 1_000, options.linger * 1_000]
  const code = await afterUpgrade(context, {
    relay: served,
    successor,
    players,
    mayLeave,
    drainMs,
    lingerMs,
    signals,
    stopped,
  })
  await within(STOP_TIMEOUT_MS, gone)
  return code
}
