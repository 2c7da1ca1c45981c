import { closeSync, openSync } from 'node:fs'
import type { CliContext } from '../context.js'

export interface RelaySignalHandlers {
  /** SIGINT or SIGTERM; `again`: not the first. */
  stop(name: StopSignal, again: boolean): void
  /** SIGHUP. */
  upgrade(): void
}

export type StopSignal = 'SIGINT' | 'SIGTERM'

export interface RelaySignals {
  /** In place of those before. What came when there were none comes now. */
  handle(handlers: RelaySignalHandlers): void
  /** To be taken for a signal. */
  stop(name: StopSignal): void
  /** At the very end: after a hang-up of the terminal it ends the process, as that would have. */
  close(): void
}

/** npm and a parent hand on what the terminal has sent to the whole process group already: within this time it is one and the same. */
const SAME_SIGNAL_MS = 500
const TERMINAL = '/dev/tty'

/**
 * The signals of a relay's life. SIGHUP because the terminal is gone is a stop like any other; Windows has no other SIGHUP. What came before is
 * in `context.signal`.
 */
export function listenToSignals(context: CliContext): RelaySignals {
  const { stdin, stdout, stderr, signal } = context
  const hadTerminal = [stdin, stdout, stderr].some(({ isTTY }) => isTTY === true) && hasTerminal()
  let handlers: RelaySignalHandlers | undefined
  let early: StopSignal | undefined = signal.aborted ? 'SIGTERM' : undefined
  let stops = 0
  let lastStop = Number.NEGATIVE_INFINITY
  let isTerminalGone = false

  function stop(name: StopSignal): void {
    const now = performance.now()
    const isSame = now - lastStop < SAME_SIGNAL_MS
    lastStop = now
    if (isSame) return
    if (handlers === undefined) {
      early ??= name
      return
    }
    stops += 1
    handlers.stop(name, stops > 1)
  }
  const listeners = {
    SIGINT: () => stop('SIGINT'),
    SIGTERM: () => stop('SIGTERM'),
    SIGHUP: () => {
      isTerminalGone ||= hadTerminal && !hasTerminal()
      if (process.platform === 'win32' || isTerminalGone) stop('SIGTERM')
      else handlers?.upgrade()
    },
  }
  for (const [name, listener] of Object.entries(listeners)) process.on(name, listener)
  return {
    stop,
    handle(next) {
      handlers = next
      if (early === undefined) return
      // Who has sent it to the whole group hands it on now, when this process is known to be there.
      lastStop = performance.now()
      stops += 1
      next.stop(early, false)
      early = undefined
    },
    close() {
      for (const [name, listener] of Object.entries(listeners)) process.off(name, listener)
      // Node 20 aborts at its end when it cannot reset a terminal that is gone.
      if (isTerminalGone) process.kill(process.pid, 'SIGHUP')
    },
  }
}

/** Whether the terminal that steers this process is there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync(TERMINAL, 'r'))
    return true
  } catch {
    return false
  }
}
