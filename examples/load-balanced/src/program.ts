import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

export interface ProgramOptions {
  /** For people. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly spawn?: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd'>
  /** Written to its standard input: secrets, since arguments can be read by everybody. */
  readonly input?: string
  /** What it says when it serves. */
  readonly ready: RegExp
  /** How it is told to end. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals
  /** Each line that it says after it is ready. Default: forgotten. */
  readonly onLine?: (line: string) => void
}

/** A process. */
export interface Program {
  readonly pid: number | undefined
  /** Resolves with what `ready` matched. Rejects with ChildError, and then it has ended. */
  readonly ready: Promise<RegExpMatchArray>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  lastLines(): string
  stop(): Promise<void>
}

/** It did not start. */
export class ChildError extends Error {
  readonly exitCode: number | null

  constructor(message: string, exitCode: number | null) {
    super(message)
    this.exitCode = exitCode
  }
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 12_000
const keptCharacters = 8_000
const shownLines = 5

export function startProgram(options: ProgramOptions): Program {
  const { name, command, args, env, input, ready: pattern, stopSignal = 'SIGTERM', onLine } = options
  // In a process group of its own: what a terminal's Ctrl-C sends reaches this program alone, which ends them in order.
  const child = spawn(command, args, { ...options.spawn, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let unread = ''
  let isReady = false
  let found: (match: RegExpMatchArray) => void = () => undefined
  const matched = new Promise<RegExpMatchArray>((resolve) => {
    found = resolve
  })
  const read = (text: string): void => {
    output = (output + text).slice(-keptCharacters)
    const lines = (unread + text).split('\n')
    unread = (lines.pop() ?? '').slice(-keptCharacters)
    if (isReady) {
      for (const line of lines) onLine?.(line)
      return
    }
    const match = pattern.exec(output)
    if (!match) return
    isReady = true
    found(match)
  }
  child.stdout.setEncoding('utf8').on('data', read)
  child.stderr.setEncoding('utf8').on('data', read)
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')

  const guard = endWithThisProcess(child.pid, stopSignal)
  const ended: Program['ended'] = new Promise((resolve) => {
    child.once('error', (error) => {
      read(`${error.message}\n`)
      resolve({ code: null, signal: null })
    })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  void ended.then(() => guard?.kill('SIGKILL'))
  const lastLines = (): string => output.trim().split('\n').slice(-shownLines).join('\n') || 'it said nothing'

  const waitReady = async (): Promise<RegExpMatchArray> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), startTimeoutMs)
    })
    const outcome = await Promise.race([matched, ended, late])
    clearTimeout(timer)
    if (Array.isArray(outcome)) return outcome
    if (outcome === 'late') {
      child.kill('SIGKILL')
      await ended
      throw new ChildError(`${name} is not ready after ${startTimeoutMs / 1_000} s: ${lastLines()}`, null)
    }
    const how = outcome.code === null ? (outcome.signal ?? 'it cannot be run') : `exit code ${outcome.code}`
    throw new ChildError(`${name} did not start (${how}): ${lastLines()}`, outcome.code)
  }

  const ready = waitReady()
  // Whoever stops it in between need not listen.
  ready.catch(() => undefined)
  return {
    pid: child.pid,
    ready,
    ended,
    lastLines,
    async stop() {
      child.kill(stopSignal)
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Should this process be killed, its end of the pipe is closed, and a shell that waited for that ends the program. */
function endWithThisProcess(pid: number | undefined, signal: NodeJS.Signals): ChildProcess | undefined {
  if (pid === undefined) return undefined
  const script = 'read -r _; kill -s "$1" "$2"'
  const args = ['-c', script, 'guard', signal.replace('SIG', ''), `${pid}`]
  const guard = spawn('sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.on('error', () => undefined)
  guard.stdin.on('error', () => undefined)
  return guard
}
