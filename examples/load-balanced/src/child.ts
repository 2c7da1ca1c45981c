import { setTimeout as delay } from 'node:timers/promises'
import { ChildError, type Program, type ProgramOptions, startProgram } from './program.js'

export interface ChildOptions extends ProgramOptions {
  /** Exit codes after which there is no use in starting it again. */
  readonly final?: readonly number[]
  readonly say: (line: string) => void
}

/** A program that is started again when it ends by itself. */
export interface Child {
  readonly name: string
  /** Of the process that runs now, or ran last. */
  readonly pid: number | undefined
  /** What `ready` matched when it was started first. */
  readonly match: RegExpMatchArray
  /** Ends it, and resolves when it has. */
  stop(): Promise<void>
}

const retry = { minMs: 500, maxMs: 10_000, forgottenAfterMs: 30_000 }

/**
 * Starts it and waits until it is ready.
 * @throws ChildError when it is not
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, say, final = [] } = options
  const stopping = new AbortController()
  let program: Program = startProgram(options)
  const match = await program.ready

  const watch = async (): Promise<void> => {
    let waitMs = retry.minMs
    let begun = performance.now()
    for (;;) {
      const { code, signal } = await program.ended
      if (stopping.signal.aborted) return
      if (code !== null && final.includes(code)) return say(`${name} ended for good (${code}): ${program.lastLines()}`)
      if (performance.now() - begun > retry.forgottenAfterMs) waitMs = retry.minMs
      say(`${name} ended (${signal ?? code}), starts again in ${waitMs / 1_000} s`)
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      waitMs = Math.min(waitMs * 2, retry.maxMs)
      begun = performance.now()
      program = startProgram(options)
      await program.ready.then(
        () => say(`${name} is back as process ${program.pid}`),
        (error: unknown) => !stopping.signal.aborted && error instanceof ChildError && say(error.message),
      )
    }
  }
  const watching = watch()

  return {
    name,
    match,
    get pid() {
      return program.pid
    },
    async stop() {
      stopping.abort()
      await program.stop()
      await watching
    },
  }
}
