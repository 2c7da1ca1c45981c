import type { RedisClientOptions } from '@keyv/redis'

export interface RedisAddress {
  /** For messages: host and port, no credentials. */
  readonly place: string
  readonly database: number
  readonly password: string
  readonly options: Pick<RedisClientOptions, 'username' | 'password' | 'database'> & {
    readonly socket: { host: string; port: number; tls?: true; servername?: string }
  }
}

const schemes: ReadonlySet<string> = new Set(['redis:', 'rediss:'])
const defaultPort = 6379

/**
 * Reads `redis://user:password@host:port/database`; `rediss:` for TLS.
 * @throws `TypeError` that says what is wrong and never what the URL says
 */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !schemes.has(url.protocol) || url.hostname === '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('the Redis URL is not like redis://user:password@host:port/0')
  }
  const path = url.pathname.replace(/^\//, '')
  if (!/^\d{0,4}$/.test(path)) throw new TypeError('the path of the Redis URL is not the number of a database')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? defaultPort : Number(url.port)
  const username = decode(url.username)
  const password = decode(url.password)
  return {
    place: `${host}:${port}`,
    database: Number(path),
    password,
    options: {
      database: Number(path),
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
      socket: { host, port, ...(url.protocol === 'rediss:' ? { tls: true, servername: host } : {}) },
    },
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new TypeError('the Redis URL has a % that is not followed by two hexadecimal digits')
  }
}
