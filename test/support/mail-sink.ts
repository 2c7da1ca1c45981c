import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Test } from 'tap'
import { event, until } from './deadline.js'

export interface ReceivedMail {
  readonly to: string
  /** Headers and body, decoded. */
  readonly text: string
}

/** A mail server that keeps what it is given. */
export interface MailSink {
  /** For `SMTP_URL`. */
  readonly url: string
  readonly mails: readonly ReceivedMail[]
  /** Waits for a mail to `address`, with this in it, and takes it out. */
  take(address: string, having?: RegExp): Promise<ReceivedMail>
}

export async function mailSink(t: Test): Promise<MailSink> {
  const mails: ReceivedMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const text = decodeQuotedPrintable(Buffer.concat(chunks).toString())
        for (const { address } of session.envelope.rcptTo) mails.push({ to: address, text })
        done()
      })
    },
  })
  server.on('error', () => undefined)
  server.listen(0, '127.0.0.1')
  await event(server.server, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async take(address, having = /(?:)/) {
      const isIt = ({ to, text }: ReceivedMail) => to === address && having.test(text)
      const found = await until(`mail to ${address}`, () => mails.findIndex(isIt) + 1)
      return mails.splice(found - 1, 1)[0] as ReceivedMail
    },
  }
}

/** What only the mail that carries the link for a new password has in it. */
export const resetLink: RegExp = /\/reset-password\S+/

/** The token in a mail's link. */
export function linkToken({ text }: ReceivedMail): string {
  const token = /https?:\/\/\S*[#?&/](?:token=)?([\w.-]{20,})/.exec(text)?.[1]
  if (!token) throw new Error(`no link with a token in ${text}`)
  return token
}

/** The code of six digits in a mail. */
export function mailedCode({ text }: ReceivedMail): string {
  const body = text.slice(text.search(/\r?\n\r?\n/))
  const code = /(?<!\d)\d{6}(?!\d)/.exec(body)?.[0]
  if (!code) throw new Error(`no code in ${text}`)
  return code
}

function decodeQuotedPrintable(text: string): string {
  if (!/content-transfer-encoding: quoted-printable/i.test(text)) return text
  return text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
