import { isIP } from 'node:net'

/** What the environment says, checked and defaulted. */
export interface Environment {
  readonly host: string
  readonly port: number
  /** `undefined`: `http://localhost:<the port that is listened on>`. */
  readonly publicUrl: string | undefined
  readonly dataDir: string
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
  readonly secretKeys: readonly string[] | undefined
  readonly adminEmail: string
  readonly adminPassword: string | undefined
  readonly smtpUrl: string | undefined
  readonly trustedProxies: readonly string[]
  readonly relayEmbedded: boolean
  readonly relayPublicHost: string
  readonly relayBindHost: string
  readonly relayPortRange: { readonly from: number; readonly to: number }
  readonly relayDataPort: number
  readonly tunnelsEnabled: boolean
  /** Where events are sent, signed with the secret. */
  readonly webhook: { readonly url: string; readonly secret: string } | undefined
  readonly logLevel: string
}

/** A variable that is set to nonsense. The message names it, and shows its value unless that is a secret. */
export class EnvironmentError extends Error {
  readonly variable: string

  constructor(variable: string, expected: string) {
    super(`${variable} must be ${expected}`)
    this.name = 'EnvironmentError'
    this.variable = variable
  }
}

type Variables = Readonly<Record<string, string | undefined>>
type Parse<T> = (text: string) => T | undefined
type Read = <T, Fallback>(name: string, fallback: Fallback, expected: string, parse: Parse<T>) => T | Fallback

const minSecretKeyLength = 32
const minWebhookSecretLength = 24
const maxWebhookUrlLength = 2_048
const maxPort = 65_535
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/**
 * Reads every variable that the server knows. An empty one counts as unset.
 * @throws EnvironmentError at the first that is nonsense
 */
export function readEnvironment(variables: Variables): Environment {
  const read: Read = <T, Fallback>(name: string, fallback: Fallback, expected: string, parse: Parse<T>) => {
    const text = variables[name]?.trim()
    if (!text) return fallback
    const value = parse(text)
    if (value === undefined) throw new EnvironmentError(name, expected)
    return value
  }
  const port = read('PORT', 3000, `a port number from 0 to ${maxPort}`, portNumber)
  const host = read('HOST', '127.0.0.1', 'an IP address or a host name', hostName)
  return {
    host,
    port,
    publicUrl: read('PUBLIC_URL', undefined, 'an origin such as https://panel.example.com, without a path', origin),
    dataDir: read('DATA_DIR', './.data', 'a path', path),
    databaseUrl: read(
      'DATABASE_URL',
      undefined,
      'a URL like postgres://user@host:5432/name',
      url('postgres', 'postgresql'),
    ),
    redisUrl: read('REDIS_URL', undefined, 'a URL like redis://host:6379', url('redis', 'rediss')),
    secretKeys: read(
      'SECRET_KEYS',
      undefined,
      `a comma-separated list of different keys of ${minSecretKeyLength} characters or more`,
      secretKeys,
    ),
    adminEmail: read('ADMIN_EMAIL', 'admin@localhost', 'an e-mail address', email),
    adminPassword: read('ADMIN_PASSWORD', undefined, 'a password of 8 to 256 characters', () =>
      // Spaces at its ends belong to it.
      password(variables['ADMIN_PASSWORD'] ?? ''),
    ),
    smtpUrl: read('SMTP_URL', undefined, 'a URL like smtp://host:25', url('smtp', 'smtps')),
    trustedProxies: read('TRUSTED_PROXIES', [], 'a comma-separated list of addresses and CIDR ranges', cidrList),
    relayEmbedded: read('RELAY_EMBEDDED', true, 'true or false', boolean),
    relayPublicHost: read('RELAY_PUBLIC_HOST', 'localhost', 'an IP address or a host name', hostName),
    relayBindHost: read('RELAY_BIND_HOST', host, 'an IP address or a host name', hostName),
    relayPortRange: read(
      'RELAY_PORT_RANGE',
      { from: 20_000, to: 29_999 },
      `a range of ports such as 20000-29999, within 1 and ${maxPort}`,
      portRange,
    ),
    relayDataPort: read('RELAY_DATA_PORT', 7350, `a port number from 0 to ${maxPort}`, portNumber),
    tunnelsEnabled: read('TUNNELS_ENABLED', true, 'true or false', boolean),
    webhook: readWebhook(read),
    logLevel: read('LOG_LEVEL', 'info', `one of ${logLevels.join(', ')}`, (text) =>
      logLevels.includes(text) ? text : undefined,
    ),
  }
}

/** Both of its variables, or neither. */
function readWebhook(read: Read): Environment['webhook'] {
  const urlOf = read(
    'WEBHOOK_URL',
    undefined,
    'a URL like https://host/path, without a user name or password',
    webhookUrl,
  )
  const secret = read(
    'WEBHOOK_SECRET',
    undefined,
    `a secret of ${minWebhookSecretLength} characters or more, or whsec_ and base64`,
    webhookSecret,
  )
  if (urlOf !== undefined && secret !== undefined) return { url: urlOf, secret }
  if (urlOf !== undefined) throw new EnvironmentError('WEBHOOK_SECRET', 'set when WEBHOOK_URL is')
  if (secret !== undefined) throw new EnvironmentError('WEBHOOK_URL', 'set when WEBHOOK_SECRET is')
  return undefined
}

function webhookUrl(text: string): string | undefined {
  if (text.length > maxWebhookUrlLength || !/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const { username, password: secret, port } = new URL(text)
  return username || secret || port === '0' ? undefined : text
}

function webhookSecret(text: string): string | undefined {
  const isEncoded = text.startsWith('whsec_')
  const isUsable = !isEncoded || /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/.test(text)
  return text.length >= minWebhookSecretLength && isUsable ? text : undefined
}

function portNumber(text: string): number | undefined {
  const value = Number(text)
  return /^\d{1,5}$/.test(text) && value <= maxPort ? value : undefined
}

function portRange(text: string): { from: number; to: number } | undefined {
  const [from, to, more] = text.split('-').map((part) => portNumber(part.trim()))
  if (from === undefined || to === undefined || more !== undefined || from < 1 || from > to) return undefined
  return { from, to }
}

function boolean(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined
}

/** A name by RFC 1123: what is all digits and dots is an IPv4 address or nonsense. */
function hostName(text: string): string | undefined {
  if (isIP(text)) return text
  const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?'
  const isName = new RegExp(`^${label}(\\.${label})*$`, 'i').test(text) && !/^[\d.]+$/.test(text)
  return isName && text.length <= 253 ? text : undefined
}

function path(text: string): string | undefined {
  return text.includes('\0') ? undefined : text
}

function url(...schemes: readonly string[]): Parse<string> {
  return (text) => {
    if (!URL.canParse(text)) return undefined
    const { protocol, hostname, port } = new URL(text)
    return schemes.includes(protocol.slice(0, -1)) && hostname && port !== '0' ? text : undefined
  }
}

function origin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, pathname, search, hash, username, password: secret, origin: value } = new URL(text)
  const isWeb = protocol === 'http:' || protocol === 'https:'
  return isWeb && pathname === '/' && !search && !hash && !username && !secret ? value : undefined
}

function email(text: string): string | undefined {
  return text.length <= 254 && /^[^\s@\p{Cc}\p{Cs}]+@[^\s@\p{Cc}\p{Cs}]+$/u.test(text) ? text : undefined
}

function password(text: string): string | undefined {
  const length = [...text.normalize('NFKC')].length
  return length >= 8 && length <= 256 ? text : undefined
}

function secretKeys(text: string): string[] | undefined {
  const keys = text.split(',').map((key) => key.trim())
  const isUsable = keys.every((key) => key.length >= minSecretKeyLength) && new Set(keys).size === keys.length
  return isUsable ? keys : undefined
}

function cidrList(text: string): string[] | undefined {
  const ranges = text.split(',').map((range) => range.trim())
  return ranges.every(isAddressOrRange) ? ranges : undefined
}

function isAddressOrRange(text: string): boolean {
  const [address = '', prefix, more] = text.split('/')
  const family = isIP(address)
  if (!family || more !== undefined) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}
