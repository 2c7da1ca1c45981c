import { type ExecFileException, execFile } from 'node:child_process'
import { within } from '../../within.js'
import type { CliContext } from '../context.js'

/**
 * Tells systemd how the service is (sd_notify(3)), if systemd started it: without NOTIFY_SOCKET every call does nothing. None throws or waits. Node cannot
 * write to a datagram socket of the file system, so `systemd-notify` does it; it is a process of its own, hence the unit's `NotifyAccess=all`.
 */
export interface Notifier {
  /** False without NOTIFY_SOCKET. */
  readonly active: boolean
  /** The start, or a reload, is done. */
  ready(status?: string): void
  /** One line for `systemctl status`; the newest wins, and is sent every few seconds at most. */
  status(text: string): void
  /** A reload is under way, until the next `ready`. */
  reloading(): void
  stopping(): void
  /** Another process of this service is its main one from now on. One message with a `ready` that follows at once. */
  mainPid(pid: number): void
  /**
   * Sends a sign of life three times in each WatchdogSec= of the unit for as long as `isAlive` says so; a loop that no longer turns sends none. Gives what
   * ends that.
   */
  watchdog(isAlive: () => boolean): () => void
  /** Ends the watchdogs; resolves when what was said is sent, or after 5 s. Later calls do nothing. */
  close(): Promise<void>
}

export interface NotifierOptions {
  /** Default: `systemd-notify`. */
  command?: string
  /** For one run of the command; then it is killed. */
  timeoutMs?: number
  /** Between two messages that only carry a status. */
  statusGapMs?: number
  /** After a run that failed. */
  retryMs?: number
  /** Told once for each kind of trouble, in words for people. */
  onProblem?: (detail: string) => void
}

/** What is to be sent. Phases keep their order: systemd waits for both ends of a reload. */
interface Pending {
  phases: string[]
  status?: string
  mainPid?: number
  alive: boolean
}

const MAX_PHASES = 4
const MAX_STATUS_LENGTH = 200
/** In a row, of one message; a sign of life comes again by itself. */
const MAX_TRIES = 5
const CLOSE_TIMEOUT_MS = 5_000
const SIGNS_PER_PERIOD = 3
const MIN_SIGN_INTERVAL_MS = 100
/** A timer takes no more. */
const MAX_SIGN_INTERVAL_MS = 2 ** 31 - 1

export function createNotifier(env: CliContext['env'], options: NotifierOptions = {}): Notifier {
  const { command = 'systemd-notify', timeoutMs = 5_000, statusGapMs = 5_000, retryMs = 1_000, onProblem } = options
  const socket = env['NOTIFY_SOCKET'] || undefined
  // Nothing else of the environment: it may hold a token.
  const childEnv = { NOTIFY_SOCKET: socket ?? '', PATH: env['PATH'] ?? '/usr/bin:/bin' }
  const watchdogs = new Set<() => void>()
  const told = new Set<string>()
  const idle = new Set<() => void>()
  let pending = nothing()
  let active = socket !== undefined
  let closed = false
  let running = false
  let scheduled = false
  let tries = 0
  let retryAt = 0
  let lastStatus: string | undefined
  let statusSentAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  function say(change: (pending: Pending) => void): void {
    if (!active || closed) return
    change(pending)
    if (scheduled) return
    scheduled = true
    // What is said in one go is one message.
    queueMicrotask(() => {
      scheduled = false
      next()
    })
  }

  /** Starts the command unless it runs, and puts off what is no hurry. */
  function next(): void {
    if (running || !active) return
    clearTimeout(timer)
    timer = undefined
    const dueAt = tries > 0 ? retryAt : isHurry(pending) || closed ? 0 : statusSentAt + statusGapMs
    const waitMs = dueAt - performance.now()
    if (isEmpty(pending)) {
      for (const done of idle) done()
    } else if (waitMs > 0) {
      timer = setTimeout(send, waitMs)
      timer.unref()
    } else send()
  }

  function send(): void {
    const message = take(pending)
    running = true
    if (message.status !== undefined) statusSentAt = performance.now()
    const ended = (error: ExecFileException | null): void => {
      running = false
      if (error === null) tries = 0
      else failed(error, message)
      next()
    }
    try {
      execFile(command, lines(message), { env: childEnv, timeout: timeoutMs, killSignal: 'SIGKILL' }, ended)
    } catch (error) {
      // Thrown at once, for one when there is no memory for another process.
      ended(error as ExecFileException)
    }
  }

  function failed(error: ExecFileException, message: Pending): void {
    if (error.code === 'ENOENT' || error.code === 'EACCES') {
      problem('missing', `systemd is not told that this service is well: ${command} cannot be run (${error.code})`)
      active = false
      for (const done of idle) done()
      return
    }
    const ending = typeof error.code === 'number' ? `exit code ${error.code}` : (error.code ?? error.signal)
    const reason = error.killed === true ? 'no end in time' : ending
    // All processes of the service are told to end: this one was, too.
    const isEnding = error.signal === 'SIGTERM'
    if (isEnding && closed) return
    if (!isEnding) problem('failed', `systemd is not told how this service is: ${command} failed (${reason})`)
    tries += 1
    retryAt = performance.now() + retryMs
    if (tries <= MAX_TRIES) pending = merge(message, pending)
    else tries = 0
  }

  function problem(kind: string, detail: string): void {
    if (told.has(kind)) return
    told.add(kind)
    onProblem?.(detail)
  }

  function phase(name: string): void {
    say(({ phases }) => {
      if (phases.at(-1) !== name && phases.push(name) > MAX_PHASES) phases.shift()
    })
  }

  function status(text: string): void {
    const line = text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_STATUS_LENGTH)
    if (line === lastStatus) return
    lastStatus = line
    say((pending) => {
      pending.status = line
    })
  }

  function watchdog(isAlive: () => boolean): () => void {
    const micros = Number(env['WATCHDOG_USEC'])
    if (!active || closed || !Number.isFinite(micros) || micros <= 0) return () => {}
    const everyMs = Math.max(micros / 1_000 / SIGNS_PER_PERIOD, MIN_SIGN_INTERVAL_MS)
    const look = () => {
      if (!isAlive()) {
        problem('not_alive', 'this service is not well and gives systemd no sign of life')
        return
      }
      told.delete('not_alive')
      say((pending) => {
        pending.alive = true
      })
    }
    const interval = setInterval(look, Math.min(everyMs, MAX_SIGN_INTERVAL_MS)).unref()
    const stop = () => {
      clearInterval(interval)
      watchdogs.delete(stop)
    }
    watchdogs.add(stop)
    look()
    return stop
  }

  async function close(): Promise<void> {
    closed = true
    for (const stop of watchdogs) stop()
    if (!active || (!running && isEmpty(pending))) return
    const sent = new Promise<void>((resolve) => idle.add(resolve))
    next()
    await within(CLOSE_TIMEOUT_MS, sent)
    clearTimeout(timer)
  }

  return {
    active,
    ready(text) {
      if (text !== undefined) status(text)
      phase('READY=1')
    },
    status,
    // CLOCK_MONOTONIC, as Type=notify-reload wants it.
    reloading: () => phase('RELOADING=1'),
    stopping: () => phase('STOPPING=1'),
    mainPid: (pid) =>
      say((pending) => {
        pending.mainPid = pid
      }),
    watchdog,
    close,
  }
}

function nothing(): Pending {
  return { phases: [], alive: false }
}

function isHurry({ phases, mainPid, alive }: Pending): boolean {
  return phases.length > 0 || mainPid !== undefined || alive
}

function isEmpty(pending: Pending): boolean {
  return !isHurry(pending) && pending.status === undefined
}

/** One message: the first phase and all the rest. */
function take(pending: Pending): Pending {
  const message: Pending = { ...pending, phases: pending.phases.splice(0, 1) }
  delete pending.status
  delete pending.mainPid
  pending.alive = false
  return message
}

/** What could not be sent, unless something newer has taken its place. */
function merge(failed: Pending, newer: Pending): Pending {
  return { ...failed, ...newer, phases: [...failed.phases, ...newer.phases], alive: newer.alive }
}

function lines({ phases, status, mainPid, alive }: Pending): string[] {
  return [
    ...(mainPid === undefined ? [] : [`MAINPID=${mainPid}`]),
    ...phases,
    ...(phases[0] === 'RELOADING=1' ? [`MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`] : []),
    ...(status === undefined ? [] : [`STATUS=${status}`]),
    ...(alive ? ['WATCHDOG=1'] : []),
  ]
}
