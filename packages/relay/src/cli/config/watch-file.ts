import { unwatchFile, watchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { CliError } from '../exit.js'

export interface FileWatchOptions<Content> {
  path: string
  /** What the file said when it was last read. */
  present: Content
  /** Throws CliError for a file that is not as it must be. */
  read: () => Promise<Content>
  changed: (content: Content) => void
  /** Once for each kind of trouble; what holds stays. */
  broken: (error: CliError) => void
  /** Between two looks. */
  everyMs?: number
  /** A file that is broken is read once more after this: an editor may be in the middle of writing it. */
  graceMs?: number
}

const EVERY_MS = 1_500
const GRACE_MS = 500

/**
 * Reads the file again when it has changed. By looking, not by the system's notifications, which network file systems, containers' mounts and
 * files that are replaced do not give reliably. Gives what ends it.
 */
export function followFile<Content>(options: FileWatchOptions<Content>): () => void {
  const { path, read, changed, broken, everyMs = EVERY_MS, graceMs = GRACE_MS } = options
  let { present } = options
  let trouble = ''
  let reading = false
  let again = false
  let ended = false
  let grace: NodeJS.Timeout | undefined

  async function look(isSecond = false): Promise<void> {
    if (ended) return
    if (reading) {
      again = true
      return
    }
    reading = true
    clearTimeout(grace)
    try {
      const content = await read()
      if (ended) return
      trouble = ''
      if (!isDeepStrictEqual(content, present)) {
        present = content
        changed(content)
      }
    } catch (error) {
      if (ended) return
      if (!isSecond) grace = setTimeout(() => void look(true), graceMs)
      else tell(error)
    } finally {
      reading = false
      if (again) {
        again = false
        void look()
      }
    }
  }

  function tell(error: unknown): void {
    const failure = error instanceof CliError ? error : new CliError('internal_error', String(error))
    if (failure.message === trouble) return
    trouble = failure.message
    broken(failure)
  }

  const listener = () => void look()
  watchFile(path, { interval: everyMs, persistent: false }, listener)
  // What was changed before the first look at its times.
  void look()

  return () => {
    ended = true
    clearTimeout(grace)
    unwatchFile(path, listener)
  }
}
