import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** What the environment says. What panels read themselves (`ADMIN_EMAIL`, `SMTP_URL`, …) is handed on to them as it is. */
export interface Settings {
  /** Where the balancer listens. */
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Undefined: `http://localhost:<port>`. */
  readonly publicUrl: string | undefined
  readonly panels: number
  readonly dataDir: string
  /** Undefined: a Postgres of its own is started. */
  readonly databaseUrl: string | undefined
  /** Undefined: a Redis of its own is started. */
  readonly redisUrl: string | undefined
  /** A folder with `postgres` and `initdb`. Undefined: they are looked for. */
  readonly postgresBin: string | undefined
  readonly relay: {
    readonly bindHost: string
    readonly publicHost: string
    readonly dataPort: string
    readonly portRange: string
  }
}

/** Something to change before a start can work. */
export class SettingsError extends Error {}

const maxPanels = 16

/** @throws SettingsError at the first variable that is nonsense */
export function readSettings(variables: NodeJS.ProcessEnv): Settings {
  const read = (name: string): string | undefined => variables[name]?.trim() || undefined
  const integer = (name: string, fallback: number, from: number, to: number): number => {
    const text = read(name)
    if (text === undefined) return fallback
    const value = /^\d{1,5}$/.test(text) ? Number(text) : -1
    if (value < from || value > to) throw new SettingsError(`${name} must be a number from ${from} to ${to}`)
    return value
  }
  const url = (name: string, ...schemes: string[]): string | undefined => {
    const text = read(name)
    if (text === undefined || (URL.canParse(text) && schemes.includes(new URL(text).protocol))) return text
    throw new SettingsError(`${name} must be a URL that begins with ${schemes.join('// or ')}//`)
  }
  const host = read('HOST') ?? '127.0.0.1'
  if (!isIP(host) && host !== 'localhost') throw new SettingsError('HOST must be an IP address of this machine')
  const publicUrl = url('PUBLIC_URL', 'http:', 'https:')
  if (publicUrl !== undefined && new URL(publicUrl).pathname !== '/') {
    throw new SettingsError('PUBLIC_URL must be an origin such as https://panel.example.com, without a path')
  }
  return {
    host,
    port: integer('PORT', 8_080, 0, 65_535),
    publicUrl: publicUrl && new URL(publicUrl).origin,
    panels: integer('PANELS', 3, 1, maxPanels),
    dataDir: resolve(read('DATA_DIR') ?? '.data'),
    databaseUrl: url('DATABASE_URL', 'postgres:', 'postgresql:'),
    redisUrl: url('REDIS_URL', 'redis:', 'rediss:'),
    postgresBin: read('POSTGRES_BIN'),
    relay: {
      bindHost: read('RELAY_BIND_HOST') ?? '127.0.0.1',
      publicHost: read('RELAY_PUBLIC_HOST') ?? 'localhost',
      dataPort: String(integer('RELAY_DATA_PORT', 7_350, 0, 65_535)),
      portRange: read('RELAY_PORT_RANGE') ?? '20000-29999',
    },
  }
}
