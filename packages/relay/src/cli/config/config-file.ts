import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { FieldError } from '../../control/control-fields.js'
import {
  type AgentConfig,
  ENROLMENT_FIELDS,
  type Enrolment,
  readAgentConfig,
  readWishes,
  type Wishes,
} from './config-fields.js'

export type { AgentConfig, Enrolment, Wishes } from './config-fields.js'

export type Loaded<Config> =
  | { ok: true; config: Config }
  | {
      ok: false
      error: 'config_missing' | 'config_permissions' | 'config_invalid' | 'config_unreadable'
      detail: string
    }

export type LoadedConfig = Loaded<AgentConfig>

const MAX_CONFIG_BYTES = 64 * 1024
const READABLE_BY_OTHERS = 0o077
const WRITABLE_BY_OTHERS = 0o022
/** Of a credential that systemd gives (LoadCredential=): it may stand open to the service's user by an access list, whose mask shows as the group's rights. */
const CREDENTIAL_OF_OTHERS = 0o037

export function defaultConfigPath(): string {
  return join(homedir(), '.config', 'sallyport', 'agent.json')
}

/** Reads the file, unless its mode lets group or others at it. Never throws. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  return load(path, readAgentConfig)
}

/** The same for a machine whose token comes from elsewhere: the file need not hold one. */
export async function loadWishes(path: string): Promise<Loaded<Wishes>> {
  return load(path, readWishes)
}

async function load<Config>(path: string, read: (body: unknown) => Config): Promise<Loaded<Config>> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const stats = await file.stat()
      if (!stats.isFile()) return invalid(path, 'no file')
      if (stats.size > MAX_CONFIG_BYTES) return invalid(path, `larger than ${MAX_CONFIG_BYTES / 1_024} KiB`)
      if (process.platform !== 'win32' && (stats.mode & forbiddenMode(path)) !== 0) {
        const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
        const detail = `${path} has mode ${mode}, others can get at the token: run 'chmod 600 ${path}'`
        return { ok: false, error: 'config_permissions', detail }
      }
      return parse(path, await file.readFile('utf8'), read)
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return { ok: false, error: 'config_missing', detail: `there is no ${path}` }
    }
    return { ok: false, error: 'config_unreadable', detail: `${path} cannot be read (${code})` }
  }
}

function forbiddenMode(path: string): number {
  const credentials = process.env['CREDENTIALS_DIRECTORY']
  return credentials && dirname(path) === credentials ? CREDENTIAL_OF_OTHERS : READABLE_BY_OTHERS
}

function parse<Config>(path: string, content: string, read: (body: unknown) => Config): Loaded<Config> {
  try {
    return { ok: true, config: read(JSON.parse(content)) }
  } catch (error) {
    if (error instanceof SyntaxError) return invalid(path, `no JSON${whereabouts(error, content)}`)
    if (!(error instanceof FieldError)) throw error
    return invalid(
      path,
      error.field === '' ? 'no JSON object' : `'${error.field}' is missing, unknown or not as it must be`,
    )
  }
}

/** The parser's own words may quote the file, and with it the token. */
function whereabouts({ message }: SyntaxError, content: string): string {
  const at = /\bposition (\d+)\b/.exec(message)?.[1]
  return at === undefined ? '' : ` (line ${content.slice(0, Number(at)).split('\n').length})`
}

function invalid<Config>(path: string, what: string): Loaded<Config> {
  return { ok: false, error: 'config_invalid', detail: `${path} is not a configuration of sallyport: ${what}` }
}

/** Makes the directory (0700) and proves that a file can be written there. Throws the system's error. */
export async function prepareConfigDirectory(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await access(dirname(path), constants.W_OK | constants.X_OK)
}

/**
 * Writes the file whole (mode 0600) or leaves it as it was. What the present file holds beside an enrolment (tunnels, rules, what is not known here) stays.
 * Throws the system's error.
 */
export async function saveConfig(path: string, enrolment: Enrolment): Promise<void> {
  await replaceConfig(path, { ...enrolment, ...(await besideEnrolment(path)) })
}

/** The same, and nothing of the present file stays. */
export async function replaceConfig(path: string, config: Enrolment): Promise<void> {
  await prepareConfigDirectory(path)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(config, null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

async function besideEnrolment(path: string): Promise<Record<string, unknown>> {
  try {
    const { size, mode } = await stat(path)
    // What others could have written is not taken over into a file that is trusted.
    if (size > MAX_CONFIG_BYTES || (process.platform !== 'win32' && (mode & WRITABLE_BY_OTHERS) !== 0)) return {}
    const body: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return {}
    const enrolment = new Set<string>(ENROLMENT_FIELDS)
    return Object.fromEntries(Object.entries(body).filter(([key]) => !enrolment.has(key)))
  } catch {
    return {}
  }
}

/** Makes the rename itself last; not every platform can open a directory. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    await directory.sync().finally(() => directory.close())
  } catch {
    // The file is whole either way.
  }
}

export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown error'
}
