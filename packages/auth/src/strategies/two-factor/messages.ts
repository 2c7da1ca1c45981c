import type { Mail } from '../../mail/mailer.js'

/** The mail that carries a code. The code is in the text alone: a subject shows on locked screens. */
export function codeMail(panel: string, code: string): Pick<Mail, 'subject' | 'text'> {
  return {
    subject: `Your code to sign in to ${panel}`,
    text: `Your code to sign in to ${panel}:

    ${code}

It works once, within 5 minutes, and only where you asked for it. If you asked
for another since, only the newer one works.

If you did not ask for it, somebody else knows your password: sign in and
change it now. Without this code they cannot get in, so give it to nobody,
whoever asks.
`,
  }
}
