import type { CliContext } from '../context.js'

const CTRL_C = '\u0003'

/** The keys of a command that asks one thing after the other. */
export interface WatchedKeys {
  /** Swallows keys while something else is waited for, so that the terminal does not print them amid ours. Call what it gives to end it. */
  hold(): () => void
  end(): void
}

/**
 * Calls `interrupt` for a Ctrl-C that is no signal because the terminal gives keys as they are, also one that comes right behind the key that
 * answered a question.
 */
export function watchKeys({ stdin }: CliContext, interrupt: () => void): WatchedKeys {
  const onData = (chunk: Buffer | string) => {
    if (String(chunk).includes(CTRL_C)) interrupt()
  }
  stdin.on('data', onData)
  stdin.on('error', interrupt)
  return {
    hold() {
      stdin.setRawMode?.(true)
      stdin.resume()
      return () => {
        stdin.pause()
        stdin.setRawMode?.(false)
      }
    },
    end() {
      stdin.off('data', onData)
      stdin.off('error', interrupt)
      stdin.pause()
    },
  }
}
