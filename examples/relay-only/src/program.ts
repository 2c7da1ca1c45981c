import { RelayError } from '@sallyport/relay'
import { UsageError } from './tunnel.js'

const stopTimeoutMs = 9_000

/** Aborted by SIGTERM and SIGINT. Every program of this example ends by it. */
export function untilSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      controller.abort()
      setTimeout(() => process.exit(1), stopTimeoutMs).unref()
    })
  }
  return controller.signal
}

/** Runs a program: 0 when it ends by itself or by a signal, 1 with one line when it fails, 2 when it was used wrongly. */
export async function runProgram(body: (signal: AbortSignal) => Promise<void>): Promise<void> {
  try {
    await body(untilSignal())
    process.exitCode = 0
  } catch (error) {
    const isUsage = error instanceof UsageError || isArgumentError(error)
    const isExpected = isUsage || error instanceof RelayError
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    process.stderr.write(`${isExpected ? message : stack}\n`)
    process.exitCode = isUsage ? 2 : 1
  }
}

/** Resolves when the program is told to end. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  // A signal's listener keeps no process alive.
  const alive = setInterval(() => undefined, 60_000)
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  clearInterval(alive)
}

/** What `parseArgs` of node:util throws. */
function isArgumentError(error: unknown): boolean {
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
}
