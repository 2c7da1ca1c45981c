import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until, within } from './deadline.js'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child process whose output is kept. */
export interface Program {
  readonly child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  readonly exited: Promise<Exit>
  /** Waits for a match in what it has written to standard output so far, or will. */
  line(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals, timeoutMs?: number): Promise<Exit>
}

interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly detached?: boolean
}

/** What a child needs of this process's environment; nothing that would change what is tested. */
const inherited = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'npm_config_cache', 'NODE_EXTRA_CA_CERTS']

export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const base = Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
  const spawnOptions: SpawnOptions = {
    cwd: options.cwd ?? root,
    env: { ...base, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  }
  const child = spawn(command, args, spawnOptions)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', () => resolve({ code: -1, signal: null }))
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  let ended = false
  exited.then(() => {
    ended = true
  })

  return {
    child,
    exited,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    line: (pattern, timeoutMs) =>
      until(
        `output ${pattern}`,
        () => {
          const match = stdout.match(pattern)
          if (!match && ended) throw new Error(`it ended before, saying: ${stdout}${stderr}`)
          return match ?? undefined
        },
        timeoutMs,
      ),
    async stop(signal = 'SIGTERM', timeoutMs = 15_000) {
      if (!ended) child.kill(signal)
      return within(`end of ${command} ${args.join(' ')} (${stderr.slice(-2000)})`, exited, timeoutMs)
    },
  }
}
