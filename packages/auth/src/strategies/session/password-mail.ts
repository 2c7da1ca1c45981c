import type { Mail } from '../../mail/mailer.js'

interface About {
  /** The address as its owner gave it. */
  readonly to: string
  /** The panel's, from configuration. */
  readonly publicUrl: string
}

/**
 * The mail with the link by which its reader chooses a new password. The token is in the fragment: a browser sends that
 * to no server, so it is in nobody's log and in no `Referer`.
 */
export function passwordResetMail({ to, publicUrl }: About, token: string, minutes: number): Mail {
  return {
    to,
    subject: 'Choose a new password',
    text: [
      `Somebody asked for a new password for your account at ${publicUrl}.`,
      `To choose one, open this link within ${minutes} minutes. It works once:`,
      `${publicUrl}/reset-password#token=${token}`,
      'If that was not you, do nothing: your password stays as it is. Give the link to nobody.',
      '',
    ].join('\n\n'),
  }
}

/** Tells the owner, who should know if it was somebody else. */
export function passwordChangedMail({ to, publicUrl }: About): Mail {
  return {
    to,
    subject: 'Your password was changed',
    text: [
      `The password of your account at ${publicUrl} was changed, and all other sign-ins have ended.`,
      `If that was not you, ask for a new password at once on the sign-in page, and tell who runs the panel.`,
      '',
    ].join('\n\n'),
  }
}
