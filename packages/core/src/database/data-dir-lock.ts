import { createHash, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { coreErrors } from '../errors.js'
import { dataDirUnusable } from './data-dir.js'
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.js'

interface Lock extends ProcessIdentity {
  /** Unique for each time that a lock is taken. */
  readonly token: string
}

/** How often a holder touches its lock, so that processes of other containers or hosts see it live. */
const heartbeatMs = 2_000
/** How long a lock of another container or host must stay untouched to count as left behind. */
const defaultSilenceMs = 15_000
const pollMs = 250
/** How often two processes that take over the same lock may get into each other's way. */
const maxAttempts = 20

/**
 * Takes the data directory for this process alone. A lock whose process is dead is taken over; of several processes
 * that do so at once, one succeeds.
 * @param onLost called once when another process has taken the directory over all the same: this one was silent too long
 * @returns gives the directory back
 * @throws `CORE_ERR_DATA_DIR_LOCKED`, `CORE_ERR_DATA_DIR_UNUSABLE`
 */
export async function lockDataDir(
  directory: string,
  silenceMs: number = defaultSilenceMs,
  onLost: () => void = () => undefined,
): Promise<() => void> {
  const path = join(directory, 'lock')
  try {
    const lock = await acquire(directory, path, silenceMs)
    const heartbeat = setInterval(() => {
      if (!isTaken(path, lock)) return touch(path)
      clearInterval(heartbeat)
      onLost()
    }, heartbeatMs).unref()
    return () => {
      clearInterval(heartbeat)
      if (read(path)?.token === lock.token) rmSync(path, { force: true })
    }
  } catch (error) {
    if (coreErrors.DATA_DIR_LOCKED.is(error)) throw error
    throw dataDirUnusable(directory, error)
  }
}

async function acquire(directory: string, path: string, silenceMs: number): Promise<Lock> {
  const lock: Lock = { ...ownIdentity(), token: randomUUID() }
  const prepared = `${path}.${lock.token}`
  writeFileSync(prepared, `${JSON.stringify(lock)}\n`, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      // A link is made only when nothing has the name, and the file behind it is whole: nobody sees half a lock.
      if (tryLink(prepared, path)) return lock
      const holder = read(path)
      if (holder === undefined) continue
      if (await holds(path, holder, silenceMs)) {
        throw coreErrors.DATA_DIR_LOCKED({ directory, pid: holder.pid })
      }
      if (await takeOver({ directory, path, prepared, silenceMs }, holder)) return lock
      await delay(pollMs)
    }
    throw coreErrors.DATA_DIR_LOCKED({ directory, pid: read(path)?.pid ?? 0 })
  } finally {
    rmSync(prepared, { force: true })
  }
}

interface Attempt {
  readonly directory: string
  readonly path: string
  /** File that holds the lock to be. */
  readonly prepared: string
  readonly silenceMs: number
}

/**
 * Puts the prepared lock in the place of a dead one. Only who holds the lock named after the dead one's token may do
 * so, and looks again first: a slower process then finds another token and leaves it alone.
 */
async function takeOver({ directory, path, prepared, silenceMs }: Attempt, dead: Lock): Promise<boolean> {
  const guard = `${path}.${createHash('sha256').update(dead.token).digest('hex').slice(0, 16)}`
  try {
    await acquire(directory, guard, silenceMs)
  } catch (error) {
    if (coreErrors.DATA_DIR_LOCKED.is(error)) return false
    throw error
  }
  try {
    if (read(path)?.token !== dead.token) return false
    renameSync(prepared, path)
    return true
  } finally {
    rmSync(guard, { force: true })
  }
}

async function holds(path: string, lock: Lock, silenceMs: number): Promise<boolean> {
  const liveness = livenessOf(lock)
  if (liveness !== 'unknown') return liveness === 'alive'
  // Its process cannot be seen from here: whether it lives shows in its heartbeat, whatever the clocks say.
  const first = touchedAt(path)
  const end = performance.now() + silenceMs
  while (performance.now() < end) {
    await delay(pollMs)
    if (touchedAt(path) !== first) return true
  }
  return false
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Gives the lock, `undefined` when there is none. One that is not readable as a lock counts as left behind. */
function read(path: string): Lock | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { pid, started, realm, token } = JSON.parse(text) as Partial<Lock>
    if (Number.isSafeInteger(pid) && started !== undefined && realm !== undefined && typeof token === 'string') {
      return { pid: pid as number, started: String(started), realm: String(realm), token }
    }
  } catch {
    // Damaged, by a full disk for example.
  }
  return { pid: 0, started: '', realm: '', token: `damaged-${text.length}` }
}

/** Whether the lock is another's; one that is missing or cannot be read is nobody's. */
function isTaken(path: string, { token }: Lock): boolean {
  try {
    const holder = read(path)
    return holder !== undefined && holder.token !== token
  } catch {
    return false
  }
}

function touchedAt(path: string): number {
  try {
    return statSync(path).mtimeMs
  } catch {
    return 0
  }
}

function touch(path: string): void {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch {
    // Removed from under us, or a full disk: the next beat tries again.
  }
}
