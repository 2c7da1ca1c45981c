import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { until, within } from '../support.js'

export const MAIN: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Command {
  stdout(): string
  stderr(): string
  /** Lines of stdout read as JSON. */
  json(): Record<string, unknown>[]
  kill(signal: NodeJS.Signals): void
  /** Late when it has not come 25 s after it was asked for. */
  readonly exit: Promise<number | null>
  /** Waits until stdout or stderr matches. */
  says(pattern: RegExp): Promise<void>
}

/** A home directory of its own for each test. */
export interface Home {
  path: string
  config: string
  enrol(config: Record<string, unknown>, mode?: number): Promise<void>
  read(): Promise<string>
  /** @param main default: the built command */
  start(args: string[], env?: Record<string, string>, main?: string): Command
}

export async function createHome(t: Test): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-cli-'))
  const running = new Set<Command>()
  t.teardown(async () => {
    for (const command of running) command.kill('SIGKILL')
    await Promise.all([...running].map((command) => command.exit))
    await rm(path, { recursive: true, force: true })
  })
  const config = join(path, 'agent.json')
  return {
    path,
    config,
    enrol: (content, mode = 0o600) => writeFile(config, JSON.stringify(content), { mode }),
    read: () => readFile(config, 'utf8'),
    start(args, env = {}, main = MAIN) {
      const command = start(
        args.includes('--config') ? args : [...args, '--config', config],
        { HOME: path, ...env },
        main,
      )
      running.add(command)
      return command
    },
  }
}

function start(args: string[], env: Record<string, string>, main: string): Command {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let ended = false
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      ended = true
      resolve(code)
    })
  })
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    json: () => lines(stdout),
    kill: (signal) => void child.kill(signal),
    get exit() {
      return within(exit, `the end of sallyport ${args[0]}`, 25_000)
    },
    says: (pattern) =>
      until(() => pattern.test(stdout) || pattern.test(stderr) || ended, `${pattern}`).then(() => {
        if (!pattern.test(stdout) && !pattern.test(stderr)) throw new Error(`${pattern} not in:\n${stdout}\n${stderr}`)
      }),
  }
}

export function lines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
