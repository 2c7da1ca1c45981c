import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Program, root, startProgram } from './program.js'

/** Of the files that run at one time each has others. */
const portsPerSlot = 1_250

export const adminPassword = 'correct horse battery staple'
export const serverFile: string = join(root, 'examples/reference-server/dist/main.js')

/** A directory that goes with the test. */
export async function temporaryDirectory(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Variables of a panel that takes nothing that another test may have: free ports, a directory of its own. */
export function panelEnvironment(dataDir: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  // Too wide to be full, and another start for each process, so that parallel tests seldom try the same number.
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8
  const from = 20_000 + slot * portsPerSlot
  return {
    PORT: '0',
    DATA_DIR: dataDir,
    ADMIN_PASSWORD: adminPassword,
    RELAY_DATA_PORT: '0',
    RELAY_PORT_RANGE: `${from}-${from + 299}`,
    LOG_LEVEL: 'warn',
    ...more,
  }
}

export interface Panel {
  readonly program: Program
  /** Where it listens; with `PUBLIC_URL` that is another address than the panel's own. */
  readonly url: string
}

/** Starts the reference server as the last step of `npm start` does and waits until it is ready. */
export async function startPanel(t: Test, env: Readonly<Record<string, string>>): Promise<Panel> {
  await putEmptyDatabase(env)
  // To optimise the database's code takes longer than most tests do.
  const program = startProgram(process.execPath, ['--liftoff-only', serverFile], { env })
  t.teardown(() => program.stop('SIGKILL'))
  const [, url = '', port] = await program.line(/^Sallyport ready at (\S+?)(?: \(listening on port (\d+)\))?$/m, 60_000)
  return { program, url: port ? `http://localhost:${port}` : url }
}

/** Spares a new data directory its `initdb` of some seconds: the runner of the tests has made the files once (scripts/test.mjs). */
async function putEmptyDatabase({ DATA_DIR, DATABASE_URL }: Readonly<Record<string, string>>): Promise<void> {
  const { SALLYPORT_TEST_DATABASE: files } = process.env
  if (!files || !DATA_DIR || DATABASE_URL || existsSync(DATA_DIR)) return
  await mkdir(DATA_DIR, { recursive: true, mode: 0o700 })
  await cp(files, join(DATA_DIR, 'postgres'), { recursive: true })
}
