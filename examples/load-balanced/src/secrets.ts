import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SettingsError } from './settings.js'

/** What all panels must have the same of, and the passwords of what is started for them. */
export interface Secrets {
  readonly secretKeys: string
  readonly adminPassword: string
  readonly databasePassword: string
  readonly redisPassword: string
}

const names = ['secretKeys', 'adminPassword', 'databasePassword', 'redisPassword'] as const

/** Reads them, or makes them at the first start: `secrets.json`, mode 0600. What the environment has goes before. */
export async function loadSecrets(dataDir: string, variables: NodeJS.ProcessEnv): Promise<Secrets> {
  await mkdir(dataDir, { recursive: true }).catch(({ code }: NodeJS.ErrnoException) => {
    throw new SettingsError(`DATA_DIR must be a folder that can be made: ${dataDir} cannot (${code})`)
  })
  const file = join(dataDir, 'secrets.json')
  const kept = (await read(file)) ?? (await make(file))
  const { SECRET_KEYS: secretKeys, ADMIN_PASSWORD: adminPassword } = variables
  return { ...kept, ...(secretKeys && { secretKeys }), ...(adminPassword && { adminPassword }) }
}

async function read(file: string): Promise<Secrets | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SettingsError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    const secrets = JSON.parse(text) as Secrets
    if (names.every((name) => typeof secrets[name] === 'string' && secrets[name] !== '')) return secrets
  } catch {
    // As below: the parser's message would quote it.
  }
  throw new SettingsError(`${file} is not what this example wrote`)
}

async function make(file: string): Promise<Secrets> {
  const random = (): string => randomBytes(30).toString('base64url')
  const secrets = Object.fromEntries(names.map((name) => [name, random()])) as unknown as Secrets
  const handle = await open(file, 'wx', 0o600).catch(({ code }: NodeJS.ErrnoException) => {
    throw new SettingsError(`${file} cannot be written (${code})`)
  })
  try {
    await handle.writeFile(`${JSON.stringify(secrets, undefined, 2)}\n`)
  } finally {
    await handle.close()
  }
  return secrets
}
