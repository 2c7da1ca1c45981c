import type { Relay } from '../../relay-types.js'
import { within } from '../../within.js'
import type { CliContext } from '../context.js'
import { CliError, ExitCode, type ExitCodeValue } from '../exit.js'
import type { RelaySignals, StopSignal } from './relay-signals.js'
import { describeEnd, type ProcessEnd, type Successor } from './succession.js'

export interface AfterUpgradeOptions {
  relay: Pick<Relay, 'stop'>
  successor: Successor
  /** How many of this process's are there yet. */
  players: number
  /** Somebody was told of the new process and follows it: this one may go. Otherwise it stands for the new one as long as that lives. */
  mayLeave: boolean
  /** For the players of this process, once they are told to finish. */
  drainMs: number
  /** For the players of this process. */
  lingerMs: number
  signals: RelaySignals
  /** How the process was told to stop while the other one took over. */
  stopped: StopSignal | undefined
}

/** For sockets that do not close. */
const STOP_TIMEOUT_MS = 5_000

/**
 * The rest of a process whose relay another one has taken over: its players finish, signals are handed on, and it ends as the other does. Throws
 * CliError when the other was ended by a signal.
 */
export async function afterUpgrade(context: CliContext, options: AfterUpgradeOptions): Promise<ExitCodeValue> {
  const { relay, successor, players, mayLeave, drainMs, lingerMs, signals, stopped } = options
  const { child, ended } = successor
  signals.handle({
    stop(name, again) {
      if (!mayLeave) child.kill(name)
      void relay.stop({ graceMs: again ? 0 : drainMs })
    },
    upgrade: () => void child.kill('SIGHUP'),
  })
  if (stopped !== undefined) child.kill(stopped)
  const finished = relay.stop({ graceMs: lingerMs }).catch(() => {})
  let end = await Promise.race([ended, finished.then(() => undefined)])
  if (end === undefined) {
    if (players > 0)
      context.output.event('players_finished', 'the last player of the process before the upgrade has left')
    if (!mayLeave) end = await ended
  }
  if (end !== undefined) {
    // Whoever plays here yet would hear of no change any more, and has no other relay to come back to either.
    await within(STOP_TIMEOUT_MS, relay.stop())
    return exitCodeOf(end)
  }
  if (child.connected) child.disconnect()
  child.unref()
  return ExitCode.ok
}

/** As a shell or a supervisor of this process is to see it. */
function exitCodeOf(end: ProcessEnd): ExitCodeValue {
  const known = Object.values(ExitCode).find((code) => code === end.code)
  if (known !== undefined) return known
  throw new CliError('relay_ended', `the process that took over ended ${describeEnd(end)}`)
}
