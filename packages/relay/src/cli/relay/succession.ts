import { type ChildProcess, fork } from 'node:child_process'
import type { Relay } from '../../relay-types.js'
import { within } from '../../within.js'
import { errorCode } from '../config/config-file.js'
import type { CliContext } from '../context.js'

/** Tells a process that it was started to take over from its parent. */
const MARK = 'SALLYPORT_RELAY_SUCCESSOR'
/** From the start of the new process until it serves; the old one serves meanwhile, and holds new players up only for the end of it. */
const TIMEOUT_MS = 30_000
/** For a process that has failed to say why. */
const LAST_WORDS_MS = 2_000

/** How a process ended: by a code or by a signal. */
export interface ProcessEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Successor {
  child: ChildProcess
  ended: Promise<ProcessEnd>
}

export type Upgrade = { ok: true; successor: Successor } | { ok: false; detail: string }

/** Whether this process is there to take over from its parent. */
export function isSuccessor(env: CliContext['env']): boolean {
  return env[MARK] === '1' && process.send !== undefined
}

/**
 * Starts this program anew, whatever its file holds by now, with the same arguments, and hands the relay over to it. Never rejects: when it
 * fails the relay goes on as before. @param signal breaks it off, unless the new process serves by then
 */
export async function upgrade(
  relay: Pick<Relay, 'handOver'>,
  env: CliContext['env'],
  signal: AbortSignal,
): Promise<Upgrade> {
  const [, program = '', ...args] = process.argv
  let child: ChildProcess
  try {
    child = fork(program, args, { env: { ...env, [MARK]: '1' }, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  } catch (error) {
    return { ok: false, detail: notStartedWords(error) }
  }
  let notStarted: unknown
  child.on('error', (error) => {
    notStarted ??= error
  })
  let end: ProcessEnd | undefined
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, name) => {
      end = { code, signal: name }
      resolve(end)
    })
  })
  const breakOff = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', breakOff, { once: true })
  try {
    await relay.handOver(child, { timeoutMs: TIMEOUT_MS })
    return { ok: true, successor: { child, ended } }
  } catch (error) {
    if (child.pid !== undefined) await within(LAST_WORDS_MS, ended)
    child.kill('SIGKILL')
    if (notStarted !== undefined) return { ok: false, detail: notStartedWords(notStarted) }
    return {
      ok: false,
      detail: end === undefined ? String((error as Error).message) : `the new process ended ${describeEnd(end)}`,
    }
  } finally {
    signal.removeEventListener('abort', breakOff)
  }
}

export function describeEnd({ code, signal }: ProcessEnd): string {
  return code === null ? `by ${signal}` : `with exit code ${code}`
}

function notStartedWords(error: unknown): string {
  return `${process.execPath} cannot be started (${errorCode(error)})`
}
