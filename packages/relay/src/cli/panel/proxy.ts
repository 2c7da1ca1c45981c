import { AddressRules, isAddressRule } from '../../players/address-rules.js'
import { CliError, ExitCode } from '../exit.js'

type Environment = Readonly<Record<string, string | undefined>>

const PORTS = new Map([
  ['http:', '80'],
  ['https:', '443'],
])

/**
 * The HTTP proxy that the environment names for this URL, or undefined for none: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, unless
 * `NO_PROXY` names the host. As curl does it: lower case goes before upper case, a value without a scheme is http. Throws CliError (usage) for a
 * value that is no http or https URL.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = read(env, name)
  if (value === '' || isExcepted(url, read(env, 'NO_PROXY'))) return undefined
  return parseProxy(name, value)
}

/** For `AgentOptions.proxy`: relays are reached as an https URL would be. */
export function relayProxy(env: Environment): (relay: { host: string; port: number }) => URL | undefined {
  return ({ host, port }) => {
    const url = parseUrl(`https://${host.includes(':') ? `[${host}]` : host}:${port}`)
    return url === undefined ? undefined : proxyFor(url, env)
  }
}

/** How a proxy is shown to people: without its credentials. */
export function showProxy(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`
}

function read(env: Environment, name: string): string {
  return (env[name.toLowerCase()] || env[name] || '').trim()
}

/** The value is not repeated: it may hold a password. */
function parseProxy(name: string, value: string): URL {
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`)
  if (url === undefined) {
    throw new CliError('bad_proxy', `${name} is no URL such as http://proxy.example.com:3128`, ExitCode.usage)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const detail = `${name} names a proxy of another kind (${url.protocol}//): only http and https proxies can be used`
    throw new CliError('bad_proxy', detail, ExitCode.usage)
  }
  return url
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** `NO_PROXY`: names (with all below them), addresses and ranges, each with a port or without; `*` for all. */
function isExcepted(url: URL, exceptions: string): boolean {
  const host = bare(url.hostname)
  const port = url.port === '' ? PORTS.get(url.protocol) : url.port
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '*') return true
      const withPort = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry)
      if (withPort !== null && withPort[2] !== port) return false
      return names(bare(withPort?.[1] ?? entry), host)
    })
}

function names(entry: string, host: string): boolean {
  if (isAddressRule(entry)) return new AddressRules([entry]).matches(host)
  const name = entry.replace(/^\*?\./, '')
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

/** Without brackets and the root's dot. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}
