import { spawn } from 'node:child_process'
import type { Test } from 'tap'
import { until, within } from '../support.js'

export interface Program {
  stdout(): string
  stderr(): string
  exit: Promise<number | null>
  /** Waits until stdout matches, for as long as the program runs. */
  says(pattern: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): void
}

export interface ProgramOptions {
  cwd: string
  env?: Record<string, string>
  deadlineMs?: number
}

/** What npm needs of this process's environment; nothing of the npm that runs the tests. */
const INHERITED = ['PATH', 'HOME', 'npm_config_cache', 'npm_config_registry', 'NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY']

export function inherited(): Record<string, string> {
  return Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

/** Runs a command with no environment but the given one. Killed with the test. */
export function start(t: Test, [file = '', ...args]: readonly string[], options: ProgramOptions): Program {
  const { cwd, env = {}, deadlineMs = 25_000 } = options
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let ended = false
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      ended = true
      resolve(code)
    })
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    return closed
  })
  const exit = within(closed, `the end of ${file} ${args.join(' ')}`, deadlineMs)
  exit.catch(() => {})
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    async says(pattern) {
      await until(() => pattern.test(stdout) || ended, `${pattern} in: ${stdout}${stderr}`)
      if (!pattern.test(stdout)) throw new Error(`${pattern} is not in: ${stdout}${stderr}`)
    },
    kill: (signal) => void child.kill(signal),
  }
}

/** Runs a command to its end. Throws unless it ends with 0. */
export async function output(t: Test, command: readonly string[], options: ProgramOptions): Promise<string> {
  const program = start(t, command, options)
  const code = await program.exit
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${program.stdout()}${program.stderr()}`)
  return program.stdout()
}
