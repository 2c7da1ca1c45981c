import { defineService, type ServiceToken } from '@sallyport/core'

/** A message to one person. */
export interface Mail {
  /** The address as its owner gave it. */
  readonly to: string
  readonly subject: string
  /** Plain text. */
  readonly text: string
}

/** Sends mail; a host may bring its own. */
export interface Mailer {
  /**
   * Resolves when a mail server has taken the message over. Bounded in time.
   * @throws `AUTH_ERR_MAIL_UNAVAILABLE` (503) when none does
   */
  send(mail: Mail): Promise<void>
}

export const Mailer: ServiceToken<Mailer> = defineService<Mailer>('auth.mailer')
