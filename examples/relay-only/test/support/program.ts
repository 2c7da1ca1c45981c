import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const deadlineMs = 20_000
const pollMs = 20

/** The folder of the example. */
export const folder: string = fileURLToPath(new URL('../../', import.meta.url))

export interface Program {
  readonly child: ChildProcess
  /** What it has said so far. */
  readonly output: string
  readonly errors: string
  /** Waits for a match in what it says. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
  /** Waits for its end. */
  readonly code: Promise<number | null>
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs one of the example's programs; it goes with the test. */
export function run(t: Test, file: string, args: readonly string[] = [], env: Record<string, string> = {}): Program {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [file, ...args], { cwd: folder, env: { PATH, HOME, ...env } })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await code
  })
  return {
    child,
    code,
    get output() {
      return output
    },
    get errors() {
      return errors
    },
    line: (pattern) =>
      until(`${pattern} from ${file}`, () => {
        const match = pattern.exec(output)
        if (!match && child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}${errors}`)
        return match ?? undefined
      }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return code
    },
  }
}

export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + deadlineMs
  while (performance.now() < end) {
    const found = await look()
    if (found !== undefined) return found
    await delay(pollMs)
  }
  throw new Error(`${what} did not come within ${deadlineMs} ms`)
}
