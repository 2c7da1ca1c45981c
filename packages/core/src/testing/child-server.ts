import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

const startTimeoutMs = 30_000
const stopTimeoutMs = 10_000
/** Of what a server printed, so much is kept for the error that says why it did not start. */
const keptOutput = 4_000

export interface ChildServerOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly spawn?: SpawnOptions
  /** Written to its standard input. */
  readonly input?: string
  /** What it prints when it can be used. */
  readonly ready: RegExp
  /** Ends it at once, without waiting for its clients. */
  readonly stopSignal: NodeJS.Signals
}

/** A server in a process of its own. */
export interface ChildServer {
  readonly pid: number
  stop(): Promise<void>
}

/** Starts a server and waits until it says that it is ready. */
export async function startChildServer(options: ChildServerOptions): Promise<ChildServer> {
  const child = spawn(options.command, options.args, { ...options.spawn, stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.input ?? '')
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    child.kill(options.stopSignal)
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await exited
    clearTimeout(timer)
  }
  try {
    await waitForLine(child, options.ready)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid as number, stop }
}

async function waitForLine(child: ChildProcess, ready: RegExp): Promise<void> {
  let output = ''
  const abort = new AbortController()
  const { signal } = abort
  const seen = new Promise<void>((resolve) => {
    const read = (chunk: Buffer): void => {
      output = `${output}${chunk}`.slice(-keptOutput)
      if (ready.test(output)) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
  })
  const failed = async (): Promise<never> => {
    const [code] = (await once(child, 'exit', { signal })) as [number | null]
    throw new Error(`${child.spawnfile} ended with ${code}: ${output}`)
  }
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${child.spawnfile} is not ready after ${startTimeoutMs} ms: ${output}`)),
      startTimeoutMs,
    )
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
  try {
    await Promise.race([seen, failed(), late])
  } finally {
    abort.abort()
  }
}
