import { isIP } from 'node:net'

/** Where a mail server is, and how to sign in there. */
export interface SmtpServer {
  readonly host: string
  /** Left out: 587 for `smtp:`, 465 for `smtps:` (RFC 8314 section 3.3). */
  readonly port?: number
  /** TLS from the first byte; else STARTTLS (RFC 3207) when the server offers it. */
  readonly secure: boolean
  readonly auth?: { readonly user: string; readonly pass: string }
  /** Whether nothing is sent without TLS: a password that leaves this machine is not to be read on the way. */
  readonly requireTls: boolean
}

/**
 * Reads `smtp://host:port`, `smtp://user:password@host:port` or the same with `smtps:`.
 * @returns what is wrong with it, without the URL itself, when it is none
 */
export function parseSmtpUrl(text: string): SmtpServer | { readonly wrong: string } {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return { wrong: 'it is no URL' }
  }
  const { protocol, hostname, port, username, password, pathname, search, hash } = url
  if (protocol !== 'smtp:' && protocol !== 'smtps:') return { wrong: 'it begins neither with smtp: nor with smtps:' }
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (host === '' || /[\s%]/.test(host)) return { wrong: 'it names no host' }
  if (pathname.length > 1 || search !== '' || hash !== '') return { wrong: 'nothing may follow the port' }
  const secure = protocol === 'smtps:'
  const server = { host, secure, ...(port !== '' && { port: Number(port) }) }
  if (username === '' && password === '') return { ...server, requireTls: false }
  try {
    const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
    return { ...server, auth, requireTls: !secure && !isLoopback(host) }
  } catch {
    return { wrong: 'user or password are not percent-encoded (RFC 3986 section 2.1)' }
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
