import { definePlugin, type Plugin } from '@sallyport/core'
import { type Mail, Mailer } from '../../dist/index.js'
import { until } from './until.js'

/** Keeps mail in place of sending it. */
export interface Mailbox {
  readonly plugin: Plugin
  readonly mails: readonly Mail[]
  /** Waits for a mail to `to` and takes it out. */
  take(to: string): Promise<Mail>
}

export function createMailbox(): Mailbox {
  const mails: Mail[] = []
  const plugin = definePlugin({
    name: 'test.mailbox',
    version: '1.0.0',
    provides: { mailer: Mailer },
    setup: () => ({ mailer: { send: async (mail: Mail) => void mails.push(mail) } }),
  })
  return {
    plugin: plugin(),
    mails,
    async take(to) {
      const index = await until(`mail to ${to}`, () => mails.findIndex((mail) => mail.to === to) + 1)
      return mails.splice(index - 1, 1)[0] as Mail
    },
  }
}
