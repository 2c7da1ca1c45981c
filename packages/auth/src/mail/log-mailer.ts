import type { Logger } from '@sallyport/core'
import type { Mailer } from './mailer.js'

/** Writes mail to the log in place of sending it: for development, where there is no mail server. */
export function createLogMailer(logger: Logger): Mailer {
  return {
    async send({ to, subject, text }) {
      logger.info({ to, subject, text }, 'mail, written here because there is no mail server')
    },
  }
}
