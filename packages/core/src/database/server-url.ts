import { readFileSync } from 'node:fs'
import type { ClientConfig } from 'pg'

/** How a Postgres server is reached; the password is within `client` alone. */
export interface ServerAddress {
  readonly client: ClientConfig
  readonly password: string
}

const schemes: ReadonlySet<string> = new Set(['postgres:', 'postgresql:'])
const parameters: ReadonlySet<string> = new Set(['host', 'sslmode', 'sslrootcert', 'application_name'])

/**
 * Reads `postgres://user:password@host:port/database`, with `host` (a directory: Unix socket), `sslmode`, `sslrootcert`
 * and `application_name` as parameters.
 * @throws `TypeError` that says what is wrong and never what the URL says
 */
export function parseServerUrl(text: string): ServerAddress {
  const url = parse(text)
  for (const name of url.searchParams.keys()) {
    if (!parameters.has(name)) throw new TypeError('the database URL has a parameter that is not known')
  }
  const password = decode(url.password)
  const ssl = sslOf(url.searchParams)
  const client: ClientConfig = {
    user: decode(url.username) || 'postgres',
    password,
    host: url.searchParams.get('host') ?? (decode(url.hostname).replace(/^\[|\]$/g, '') || 'localhost'),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decode(url.pathname.slice(1)) || decode(url.username) || 'postgres',
    application_name: url.searchParams.get('application_name') ?? 'sallyport',
    ...(ssl === undefined ? {} : { ssl }),
  }
  return { client, password }
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !schemes.has(url.protocol)) throw new TypeError('the database URL is not like postgres://user@host/name')
  return url
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new TypeError('the database URL has a % that is not followed by two hexadecimal digits')
  }
}

/** As `pg` has it: every mode that asks for TLS also has the certificate verified, except `no-verify`. */
function sslOf(search: URLSearchParams): ClientConfig['ssl'] {
  const mode = search.get('sslmode') ?? 'disable'
  const rootCertificate = search.get('sslrootcert')
  const ca = rootCertificate === null ? {} : { ca: readFileSync(rootCertificate, 'utf8') }
  switch (mode) {
    case 'disable':
      return undefined
    case 'no-verify':
      return { rejectUnauthorized: false, ...ca }
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return { rejectUnauthorized: true, ...ca }
    default:
      throw new TypeError('the sslmode of the database URL is none of disable, require, verify-full, no-verify')
  }
}
