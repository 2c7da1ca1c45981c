import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { FieldError, optional, own, record, text } from '../../control/control-fields.js'

/** What an enrolment leaves on the agent's machine. */
export interface AgentConfig {
  /** The panel's URL. */
  panel: string
  /** The device token: whoever reads it is the device. */
  token: string
  name?: string
  deviceId?: string
}

export type LoadedConfig =
  | { ok: true; config: AgentConfig }
  | {
      ok: false
      error: 'config_missing' | 'config_permissions' | 'config_invalid' | 'config_unreadable'
      detail: string
    }

const MAX_CONFIG_BYTES = 64 * 1024
const READABLE_BY_OTHERS = 0o077

export function defaultConfigPath(): string {
  return join(homedir(), '.config', 'sallyport', 'agent.json')
}

/** Reads the file, unless its mode lets group or others at it. Never throws. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await file.stat()
      if (!stats.isFile() || stats.size > MAX_CONFIG_BYTES) return invalid(path)
      if (process.platform !== 'win32' && (stats.mode & READABLE_BY_OTHERS) !== 0) {
        const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
        const detail = `${path} has mode ${mode}, others can get at the token: run 'chmod 600 ${path}'`
        return { ok: false, error: 'config_permissions', detail }
      }
      return parseConfig(path, await file.readFile('utf8'))
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

function parseConfig(path: string, content: string): LoadedConfig {
  try {
    const body = record(JSON.parse(content), '')
    const config: AgentConfig = {
      panel: own(body, 'panel', text(2_048)),
      token: own(body, 'token', text(4_096, /^[\x21-\x7e]+$/)),
      ...optional(body, 'name', text(200)),
      ...optional(body, 'deviceId', text(128)),
    }
    return { ok: true, config }
  } catch (error) {
    if (error instanceof FieldError || error instanceof SyntaxError) return invalid(path)
    throw error
  }
}

function invalid(path: string): LoadedConfig {
  return {
    ok: false,
    error: 'config_invalid',
    detail: `${path} is not a configuration of sallyport: move it away and enrol again`,
  }
}

/** Makes the directory (0700) and proves that a file can be written there. Throws the system's error. */
export async function prepareConfigDirectory(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await access(dirname(path), constants.W_OK | constants.X_OK)
}

/** Replaces the file whole (mode 0600) or leaves it as it was. Throws the system's error. */
export async function saveConfig(path: string, config: AgentConfig): Promise<void> {
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
