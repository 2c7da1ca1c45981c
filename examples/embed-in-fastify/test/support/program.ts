import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const deadlineMs = 60_000

export interface Program {
  /** What it has printed. */
  readonly output: string
  /** Resolves once what it prints matches. */
  printed(expression: RegExp): Promise<RegExpExecArray>
  /** Sends two signals, as npm and a terminal do together, and gives the exit code. */
  stop(): Promise<number | null>
  readonly exited: Promise<number | null>
}

/** Ports that no other test file has: of those that run at one time each has another slot. */
export function testEnvironment(): Record<string, string> {
  const from = 20_900 + (Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8) * 1_250
  return { PORT: '0', RELAY_DATA_PORT: '0', RELAY_PORT_RANGE: `${from}-${from + 99}` }
}

/** Runs a program of Node's; it ends with the test. */
export function startProgram(t: Test, file: URL, args: readonly string[] = []): Program {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], {
    env: { ...process.env, ...testEnvironment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return {
    get output() {
      return output
    },
    async printed(expression) {
      const signal = AbortSignal.timeout(deadlineMs)
      for (;;) {
        const match = expression.exec(output)
        if (match) return match
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}`)
        await Promise.race([once(child.stdout, 'data', { signal }), exited])
      }
    },
    stop() {
      child.kill('SIGINT')
      child.kill('SIGTERM')
      return exited
    },
    exited,
  }
}

/** Runs a script as a person at a terminal would, and gives the JSON lines that it prints. */
export async function runScript(script: string, directory: string): Promise<unknown[]> {
  const child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', script], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: deadlineMs,
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the script ended with ${code}: ${output}`)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}
