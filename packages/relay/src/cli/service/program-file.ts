import { randomBytes } from 'node:crypto'
import { chmod, copyFile, mkdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode } from '../config/config-file.js'
import { CliError } from '../exit.js'
import type { ServicePlaces } from './places.js'

/** In the one-file program only: the bundler writes it. */
declare const SALLYPORT_VERSION: string | undefined

const BUNDLE = 'sallyport.mjs'
/** What ProtectHome= and PrivateTmp= hide from a system service. */
const HIDDEN_FOLDERS = ['/home', '/root', '/run/user', '/tmp', '/var/tmp']

/** The one-file program that this process is, or that lies with it. Throws CliError. */
export async function findBundle(script: string | undefined): Promise<string> {
  const self = await realpath(script ?? '').catch(() => '')
  if (typeof SALLYPORT_VERSION === 'string' && self !== '') return self
  const folder = dirname(self)
  // From bin/, from dist/cli/.
  for (const path of [join(folder, '..', 'dist', BUNDLE), join(folder, '..', BUNDLE)]) {
    const stats = await stat(path).catch(() => undefined)
    if (self !== '' && stats?.isFile()) return path
  }
  const detail = `the one-file program (${BUNDLE}) is not built: run 'npm run build:all' in this checkout, or install the published package`
  throw new CliError('bundle_missing', detail)
}

/** Node's real path, fit for the unit. Throws CliError for one that a system service could not run. */
export async function findNode({ scope }: Pick<ServicePlaces, 'scope'>, execPath: string): Promise<string> {
  const node = await realpath(execPath).catch(() => execPath)
  if (/[\p{Cc}\s"'\\$%]/u.test(node)) throw new CliError('node_unusable', `no unit can name this Node.js: ${node}`)
  if (scope === 'user') return node
  const hidden = HIDDEN_FOLDERS.find((folder) => node.startsWith(`${folder}/`))
  if (hidden !== undefined || !(await isForEverybody(node))) {
    const why = hidden === undefined ? 'which not everybody may run' : `and a system service cannot see ${hidden}`
    const todo = 'install Node.js for the whole machine and run this with that one, or give --user'
    throw new CliError('node_unusable', `this Node.js is ${node}, ${why}: ${todo}`)
  }
  return node
}

/** True when any user gets to the file and may run it. */
async function isForEverybody(path: string): Promise<boolean> {
  for (let part = path; part !== dirname(part); part = dirname(part)) {
    const stats = await stat(part).catch(() => undefined)
    if (stats === undefined || (stats.mode & 0o001) === 0) return false
  }
  return true
}

/** Puts a copy in its place, whole or not at all. True when it differs from what was there. Throws the system's error. */
export async function installProgram(bundle: string, { program, scope }: ServicePlaces): Promise<boolean> {
  const [wanted, present] = await Promise.all([readFile(bundle), readFile(program).catch(() => undefined)])
  if (present?.equals(wanted)) return false
  const folder = dirname(program)
  const made = await mkdir(folder, { recursive: true })
  // Whatever the umask: the service has another user.
  if (made !== undefined && scope === 'system') await chmod(folder, 0o755)
  const aside = `${program}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await copyFile(bundle, aside)
    await chmod(aside, 0o755)
    await rename(aside, program)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
  return true
}

/** Puts the system's error into words. */
export function cannotWrite(path: string, error: unknown): CliError {
  return new CliError('not_writable', `${path} cannot be written (${errorCode(error)})`)
}
