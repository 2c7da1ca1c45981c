// Several panels behind a balancer, with one Postgres, one Redis and a relay, as programs on this machine.
import { ChildError } from './program.js'
import { loadSecrets } from './secrets.js'
import { readSettings, SettingsError } from './settings.js'
import { startStack } from './stack.js'

/** EX_CONFIG of sysexits.h: a person has to change something before a start can work. */
const configurationExitCode = 78
const stopTimeoutMs = 30_000

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

const stopping = new AbortController()
let told: () => void = () => undefined
const signalled = new Promise<void>((resolve) => {
  told = resolve
})
// A terminal that is closed sends SIGHUP.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    told()
    setTimeout(() => {
      complain('It did not stop in time.')
      process.exit(1)
    }, stopTimeoutMs).unref()
  })
}

try {
  const settings = readSettings(process.env)
  const secrets = await loadSecrets(settings.dataDir, process.env)
  const adminEmail = process.env['ADMIN_EMAIL']?.trim() || 'admin@localhost'
  const { signal } = stopping
  const stack = await startStack({ settings, secrets, adminEmail, signal, say, log: complain })
  say(`Administrator: ${adminEmail}, the password is in ${settings.dataDir}/secrets.json`)
  say(`Sallyport ready at ${stack.publicUrl}`)
  const alive = setInterval(() => undefined, 60_000)
  await signalled
  clearInterval(alive)
  await stack.stop()
} catch (error) {
  if (!stopping.signal.aborted) {
    const isSetting =
      error instanceof SettingsError || (error instanceof ChildError && error.exitCode === configurationExitCode)
    const isExpected = isSetting || error instanceof ChildError || (error as NodeJS.ErrnoException).syscall === 'listen'
    complain(`It cannot start: ${isExpected ? (error as Error).message : error instanceof Error ? error.stack : error}`)
    process.exitCode = isSetting ? configurationExitCode : 1
  }
}
