import { createServer as createNetServer } from 'node:net'
import type { Kernel } from '@sallyport/core'
import { type Environment, EnvironmentError, readEnvironment } from './environment.js'

/** EX_CONFIG of sysexits.h: a person has to change something before a start can work. */
const configurationExitCode = 78
const stopTimeoutMs = 9_000

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

await main()

async function main(): Promise<void> {
  let kernel: Kernel | undefined
  try {
    const environment = readEnvironment(process.env)
    await assertPortFree(environment)
    // Only now: whoever mistyped a variable need not wait for all of it to load.
    const { createServer } = await import('./server.js')
    kernel = createServer(environment, {
      onGeneratedPassword: ({ email, password }) =>
        say(`First administrator: ${email}, password: ${password} (shown only now)`),
    })
    stopOnSignal(kernel)
    await kernel.start()
    const { port } = await kernel.listen({ host: environment.host, port: environment.port })
    say(`Sallyport ready at ${environment.publicUrl ?? `http://localhost:${port}`}`)
  } catch (error) {
    await kernel?.stop().catch(() => undefined)
    // A signal that came during the start has its own way out.
    if (kernel && process.exitCode !== undefined) return
    fail(error)
  }
}

/** Before anything is written: a start that cannot end well leaves nothing behind. */
function assertPortFree({ host, port }: Environment): Promise<void> {
  if (port === 0) return Promise.resolve()
  const probe = createNetServer()
  return new Promise((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: `a free port, but another program listens on ${host}:${port}`,
        EACCES: `a port that this user may listen on, ${port} is not`,
      }
      const reason = reasons[error.code ?? '']
      reject(
        reason
          ? new EnvironmentError('PORT', reason)
          : new EnvironmentError('HOST', `an address of this machine (${error.message})`),
      )
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}

function stopOnSignal(kernel: Kernel): void {
  const stop = (): void => {
    // npm and the terminal may both send one; the first counts.
    if (process.exitCode !== undefined) return
    process.exitCode = 0
    setTimeout(() => {
      complain('Sallyport did not stop in time.')
      process.exit(1)
    }, stopTimeoutMs).unref()
    kernel.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        complain(`Sallyport did not stop cleanly: ${messageOf(error)}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
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
