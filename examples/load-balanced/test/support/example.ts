import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPostgres, missingRedis, skipWithout } from '@sallyport/core/testing'
import type { Test } from 'tap'
import { findPostgres } from '../../dist/postgres-programs.js'
import { until } from './until.js'

/** The folder of the example. */
export const folder: string = fileURLToPath(new URL('../../', import.meta.url))
const main = join(folder, 'dist/main.js')
const startMs = 120_000

export const withoutRedis: string | false = skipWithout('Redis', missingRedis())
export const withoutPostgres: string | false = skipWithout('Postgres', havePostgres() ? undefined : missingPostgres())

function havePostgres(): boolean {
  try {
    findPostgres(undefined, {})
    return true
  } catch {
    return false
  }
}

/** A folder that whoever Postgres runs as may enter; it goes with the test. */
export async function temporaryFolder(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-balanced-'))
  await chmod(directory, 0o755)
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export interface Example {
  readonly child: ChildProcess
  readonly output: string
  readonly errors: string
  readonly code: Promise<number | null>
  /** Waits for a match in what it says on standard output. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Variables of a run that takes nothing that another may have. */
export function variables(dataDir: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8
  const from = 10_000 + slot * 1_250
  return {
    ...{ PORT: '0', RELAY_DATA_PORT: '0', DATA_DIR: dataDir, RELAY_PORT_RANGE: `${from}-${from + 299}` },
    ...{ ADMIN_PASSWORD: 'correct horse battery staple', LOG_LEVEL: 'info' },
    ...more,
  }
}

/** Runs the example; it goes with the test. */
export function run(t: Test, env: Readonly<Record<string, string>>): Example {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [main], { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
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
    child.kill('SIGTERM')
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
      until(
        `${pattern}`,
        () => {
          const match = pattern.exec(output)
          if (!match && child.exitCode !== null) return { ended: true } as never
          return match
        },
        startMs,
      ).then((match) => {
        if ('ended' in match) throw new Error(`it ended with ${child.exitCode}: ${output}${errors}`)
        return match
      }),
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return code
    },
  }
}

/** Processes that have this text in their arguments or environment. Linux only: elsewhere none. */
export async function processesWith(text: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: number[] = []
  for (const id of ids) {
    const read = (name: string) => readFile(`/proc/${id}/${name}`, 'utf8').catch(() => '')
    if (id !== process.pid && `${await read('cmdline')}${await read('environ')}`.includes(text)) found.push(id)
  }
  return found
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
