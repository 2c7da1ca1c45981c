import { access, constants, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode } from '../config/config-file.js'
import { CliError } from '../exit.js'

/** Where a relay keeps what it serves. */
export interface StateFile {
  path: string
  /** Removes what was stored of a relay that never served anybody. */
  discard(): Promise<void>
}

/** Throws CliError `state_unwritable`, before anything depends on it. */
export async function prepareStateFile(path: string): Promise<StateFile> {
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await access(dirname(path), constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new CliError('state_unwritable', `the state cannot be kept in ${path}: ${errorCode(error)} (see --state)`)
  }
  return {
    path,
    async discard() {
      if (!exists) await rm(path, { force: true }).catch(() => {})
    },
  }
}
