import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'

export type TargetProtocol = 'tcp' | 'udp' | 'both'

/** The service that a tunnel leads to, as given on the command line. */
export interface LocalTarget {
  localHost: string
  localPort: number
  protocol: TargetProtocol
  /** The public one. Default: the panel chooses. */
  port?: number
  /** Where the relay stands. Default: the panel chooses. */
  region?: string
}

export const DEFAULT_LOCAL_HOST = '127.0.0.1'

export const REGION: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** What a panel takes, in UTF-16 units. */
export const MAX_DEVICE_NAME_LENGTH = 100

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) {
    throw new InvalidArgumentError('It must be a port from 1 to 65535.')
  }
  return Number(text)
}

/** A host name or an address; an IPv6 address may stand in brackets. */
export function parseHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(host) !== 0 || (host.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host))) return host
  throw new InvalidArgumentError('It must be a host name or an address, without a port.')
}

/** A region's name as panels take it. */
export function parseRegion(text: string): string {
  if (REGION.test(text)) return text
  throw new InvalidArgumentError("It must be a region's name, such as eu-west: letters, digits, '.', '_' and '-'.")
}

/** HOST:PORT, or PORT alone for this machine itself. Throws InvalidArgumentError. */
export function parseTarget(text: string): Pick<LocalTarget, 'localHost' | 'localPort'> {
  const [, host = DEFAULT_LOCAL_HOST, port = ''] = /^(?:(.*):)?([^:\]]*)$/.exec(text.trim()) ?? []
  return { localHost: parseHost(host), localPort: parsePort(port) }
}

export function parseDeviceName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > MAX_DEVICE_NAME_LENGTH || /\p{Cc}/u.test(name)) {
    throw new InvalidArgumentError(`It must have 1 to ${MAX_DEVICE_NAME_LENGTH} printable characters.`)
  }
  return name
}

/** HOST:PORT, IPv6 in brackets. */
export function showAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

export function showTunnel(tunnel: {
  protocol: string
  host: string
  port: number
  localHost: string
  localPort: number
}): string {
  const { protocol, host, port, localHost, localPort } = tunnel
  return `${protocol} ${showAddress(host, port)} -> ${showAddress(localHost, localPort)}`
}

/** What a parser says against a text, or undefined. */
export function refusalOf(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    return error.message
  }
}

/** What agents dial unless told otherwise. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
