import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { until } from '../support/until.js'
import { type ReceivedMail, readMail } from './received-mail.js'

/** A mail server that keeps what it is given. */
export interface TestSmtpServer {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  /** Connections over which a mail came, whether TLS or not. */
  readonly secured: readonly boolean[]
  /** Waits for a mail to `to` and takes it out. */
  take(to: string): Promise<ReceivedMail>
  close(): Promise<void>
}

/** Starts one on a free port of 127.0.0.1. */
export async function startSmtpServer(options: SMTPServerOptions = {}): Promise<TestSmtpServer> {
  const mails: ReceivedMail[] = []
  const secured: boolean[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onData(stream, session, callback) {
      buffer(stream).then((data) => {
        secured.push(session.secure)
        for (const { address } of session.envelope.rcptTo) mails.push(readMail(address, data.toString()))
        callback()
      }, callback)
    },
    ...options,
  })
  // A client that goes away in the middle is the client's affair.
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    port,
    mails,
    secured,
    async take(to) {
      const index = await until(`mail to ${to}`, () => mails.findIndex((mail) => mail.to === to) + 1)
      return mails.splice(index - 1, 1)[0] as ReceivedMail
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
