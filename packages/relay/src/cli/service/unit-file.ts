import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { cannotWrite } from './program-file.js'

/** Writes the unit whole or not at all. True when it differs from what was there. Throws CliError. */
export async function writeUnit(path: string, text: string): Promise<boolean> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return false
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(aside, text)
    // Whatever the umask; no secret is in it.
    await chmod(aside, 0o644)
    await rename(aside, path)
    return true
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {})
    throw cannotWrite(path, error)
  }
}
