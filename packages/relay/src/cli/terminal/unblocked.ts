import type { TerminalStream } from '../context.js'

/** What Node's streams of terminals have beneath; not documented, so nothing is taken for granted. */
interface Beneath {
  _handle?: { setBlocking?: (blocking: boolean) => unknown } | null
}

/**
 * Runs a command that serves others while it writes to a terminal. Node writes to terminals blocking: one that is halted (Ctrl-S, text being selected, a remote
 * session that hangs) would stop the whole process, its players and heartbeats with it. Meanwhile lines wait, see `createOutput`.
 */
export async function unblocked<T>(streams: readonly TerminalStream[], action: () => Promise<T>): Promise<T> {
  const terminals = streams.filter(({ isTTY }) => isTTY === true)
  for (const stream of terminals) setBlocking(stream, false)
  try {
    return await action()
  } finally {
    // What still waits is written without blocking, or lost at the end of the process.
    for (const stream of terminals) if (stream.writableLength === 0) setBlocking(stream, true)
  }
}

function setBlocking(stream: TerminalStream, blocking: boolean): void {
  // Elsewhere than on POSIX systems they are written to in another way.
  if (process.platform === 'win32') return
  ;(stream as Beneath)._handle?.setBlocking?.(blocking)
}
