import type { Kernel } from '@sallyport/core'
import { checkAddresses } from './addresses.js'
import { EnvironmentError, readEnvironment } from './environment.js'
import type { Signals } from './signals.js'

/** EX_CONFIG of sysexits.h: a person has to change something before a start can work. */
const configurationExitCode = 78

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

/** Starts the server; comes back when it serves. */
export async function run(signals: Signals): Promise<void> {
  let kernel: Kernel | undefined
  try {
    const environment = await checkAddresses(readEnvironment(process.env))
    // Only now: whoever mistyped a variable need not wait for all of it to load.
    const { createServer } = await import('./server.js')
    kernel = createServer(environment, {
      onGeneratedPassword: ({ email, password }) =>
        say(`First administrator: ${email}, password: ${password} (shown only now)`),
    })
    signals.stops(() => (kernel as Kernel).stop())
    await kernel.start()
    const { port } = await kernel.listen({ host: environment.host, port: environment.port })
    // Nobody knows a port that was picked unless it is said.
    const picked = environment.publicUrl && environment.port === 0 ? ` (listening on port ${port})` : ''
    say(`Sallyport ready at ${environment.publicUrl ?? `http://localhost:${port}`}${picked}`)
  } catch (error) {
    await kernel?.stop().catch(() => undefined)
    // A signal that came during the start has its own way out.
    if (signals.came) return
    fail(error)
  }
}

function fail(error: unknown): never {
  const isExpected = error instanceof EnvironmentError || (error instanceof Error && error.name === 'SallyportError')
  complain(
    `Sallyport cannot start: ${isExpected ? messageOf(error) : error instanceof Error ? error.stack : String(error)}`,
  )
  process.exit(isExpected ? configurationExitCode : 1)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
