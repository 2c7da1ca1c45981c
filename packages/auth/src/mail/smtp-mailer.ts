import { createBoundedWork, type Disposer, type Logger } from '@sallyport/core'
import { createTransport } from 'nodemailer'
import { isEmail } from '../email.js'
import { authErrors } from '../errors.js'
import type { Mailer } from './mailer.js'
import type { SmtpServer } from './smtp-url.js'

export interface SmtpMailerOptions {
  readonly server: SmtpServer
  /** The header `From`, such as `Sallyport <no-reply@example.com>`; asked for each mail. */
  readonly from: () => MailSender
  readonly logger: Logger
  /** Longest silence of the server, in milliseconds, while connecting, at its greeting and later. Default 10 s. */
  readonly silenceTimeoutMs?: number
  /** What a mail may take in all, however busily the server does nothing. Default 25 s. */
  readonly sendTimeoutMs?: number
}

export interface MailSender {
  readonly name: string
  readonly address: string
}

/** Mail under way at a time, each on a connection of its own. */
const maxConnections = 3
/** Mail that waits for those, and how long. */
const maxWaiting = 100
const waitTimeoutMs = 10_000
/** A server may close a connection that it has kept for a while just when the next mail comes; then it is sent anew. */
const maxRequeues = 1
const idleTimeoutMs = 30_000
/** When to try again after a failure, in seconds. */
const retryAfter = 30
const maxLoggedReason = 300

/** Sends mail by SMTP (RFC 5321), a few at a time. */
export function createSmtpMailer(options: SmtpMailerOptions): Mailer & { readonly close: Disposer } {
  const { server, from, logger, silenceTimeoutMs = 10_000, sendTimeoutMs = 25_000 } = options
  const { host, port, secure, auth, requireTls } = server
  const transport = createTransport({
    pool: true,
    host,
    ...(port !== undefined && { port }),
    secure,
    ...(auth && { auth }),
    requireTLS: requireTls,
    opportunisticTLS: !requireTls,
    // Without a promise of TLS any certificate is better than none (RFC 7435): whoever can show a false one could as
    // well leave out STARTTLS.
    ...(!secure && !requireTls && { tls: { rejectUnauthorized: false } }),
    maxConnections,
    maxRequeues,
    idleTimeout: idleTimeoutMs,
    connectionTimeout: silenceTimeoutMs,
    greetingTimeout: silenceTimeoutMs,
    socketTimeout: silenceTimeoutMs,
    dnsTimeout: silenceTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const inTurn = createBoundedWork({ concurrency: maxConnections, maxWaiting, waitTimeoutMs, busy: unavailable })

  /** What may be logged of a failure: what the server said, not what it was told. */
  const reasonOf = (error: unknown): string => {
    const text = error instanceof Error ? error.message : String(error)
    const masked = auth && auth.pass !== '' ? text.replaceAll(auth.pass, '[secret]') : text
    return masked.slice(0, maxLoggedReason)
  }

  return {
    async send({ to, subject, text }) {
      if (!isEmail(to)) {
        logger.warn('a mail was not sent: its recipient is no e-mail address')
        throw unavailable()
      }
      await inTurn(async () => {
        const sender = from()
        try {
          await transport.sendMail({
            from: sender,
            // As an object and with the envelope apart it is one recipient, whatever characters it has.
            to: { name: '', address: to },
            envelope: { from: sender.address, to: [to] },
            subject: subject.replace(/\p{Cc}+/gu, ' '),
            text,
            // RFC 3834 section 5: nobody's absence note answers it.
            headers: { 'Auto-Submitted': 'auto-generated' },
            signal: AbortSignal.timeout(sendTimeoutMs),
          })
        } catch (error) {
          const { code, responseCode, command } = error as Readonly<Record<string, unknown>>
          logger.warn({ host, code, responseCode, command, reason: reasonOf(error) }, 'a mail could not be sent')
          throw unavailable()
        }
      })
    },
    close: () => transport.close({ force: true }),
  }
}

function unavailable(): Error {
  return authErrors.MAIL_UNAVAILABLE(undefined, { retryAfter })
}
