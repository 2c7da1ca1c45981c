import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Tells one process from every other, also from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it was started, in ticks since boot (Linux); empty where the system does not say. */
  readonly started: string
  /** Where its number means something: host, boot and process namespace. */
  readonly realm: string
}

/** Gives the identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid), realm: realm() }
}

/** `unknown`: it lives, or lived, where this process cannot look. */
export function livenessOf(identity: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (identity.realm !== realm()) return 'unknown'
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    // EPERM: it is there but of another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'dead'
  }
  return startOf(identity.pid) === identity.started ? 'alive' : 'dead'
}

function startOf(pid: number): string {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The second field, the command in parentheses, may itself contain blanks and parentheses; `starttime` is field 22.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function realm(): string {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const namespace = read(() => readlinkSync('/proc/self/ns/pid'))
  return [hostname(), boot, namespace].join(' ')
}

function read(get: () => string): string {
  try {
    return get()
  } catch {
    return ''
  }
}
