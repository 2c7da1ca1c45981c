import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program is, on PATH or in the directories of the system's own daemons. */
export function found(name) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
    .map((directory) => join(directory, name))
    .find(executable)
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Why a system can't be measured; undefined when all its programs are there. */
export function missing(...names) {
  const gone = names.filter((name) => !found(name))
  return gone.length > 0 ? `${gone.join(' and ')} not on PATH` : undefined
}
