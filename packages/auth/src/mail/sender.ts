import { isIP } from 'node:net'
import { isEmail } from '../email.js'
import type { MailSender } from './smtp-mailer.js'

const withName = /^([^<>"\p{Cc}]*?)\s*<([^<>\s\p{Cc}]+)>$/u

/** Reads `name@example.com` or `Name <name@example.com>`; `undefined` for anything else. */
export function parseSender(text: string): MailSender | undefined {
  const [, name = '', address = ''] = withName.exec(text) ?? ['', '', text]
  return isEmail(address) && !/[<>]/.test(address) ? { name: name.trim(), address } : undefined
}

/** The sender of a panel that was given none: `no-reply` at its own host. */
export function senderOf(publicUrl: string | undefined): MailSender {
  return { name: 'Sallyport', address: `no-reply@${domainOf(publicUrl)}` }
}

function domainOf(publicUrl: string | undefined): string {
  if (publicUrl === undefined) return 'localhost'
  const host = new URL(publicUrl).hostname.replace(/^\[(.*)\]$/, '$1')
  // RFC 5321 section 4.1.3.
  if (isIP(host) === 4) return `[${host}]`
  return isIP(host) === 6 ? `[IPv6:${host}]` : host
}
