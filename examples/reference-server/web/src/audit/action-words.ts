/** What was done, in words, by the action's name. */
const words: Readonly<Record<string, string>> = {
  'allocation.changed': 'Changed a tunnel',
  'allocation.closed': 'Paused a tunnel',
  'allocation.created': 'Created a tunnel',
  'allocation.deleted': 'Deleted a tunnel',
  'allocation.moved': 'Moved a tunnel to another relay',
  'allocation.opened': 'Resumed a tunnel',
  'apikey.changed': 'Changed an API key',
  'apikey.created': 'Created an API key',
  'apikey.deleted': 'Deleted an API key',
  'apikey.refused': 'An API key was refused: the address is not allowed',
  'apikey.rotated': 'Rotated an API key',
  'device.approved': 'Approved a device',
  'device.deleted': 'Deleted a device',
  'device.denied': 'Denied a device',
  'device.enrolment_started': 'A device asked to be let in',
  'device.renamed': 'Renamed a device',
  'device.revoked': 'A device lost its token',
  'device.token_regenerated': 'Gave a device a new token',
  'organisation.changed': 'Changed an organisation',
  'organisation.created': 'Created an organisation',
  'organisation.deleted': 'Deleted an organisation',
  'organisation.member-added': 'Added a member to an organisation',
  'organisation.member-changed': 'Changed a member’s role',
  'organisation.member-removed': 'Removed a member from an organisation',
  'passkey.all-removed': 'All passkeys of a user were removed',
  'passkey.counter-regressed': 'A passkey may have been copied: its counter went back',
  'passkey.registered': 'Added a passkey',
  'passkey.registration-refused': 'A passkey could not be added',
  'passkey.removed': 'Removed a passkey',
  'passkey.renamed': 'Renamed a passkey',
  'password.changed': 'Changed their password',
  'password.refused': 'Gave a wrong password when changing it',
  'password.reset': 'Set a new password by a link from a mail',
  'password.reset-requested': 'Asked for a mail to set a new password',
  'session.created': 'Signed in',
  'session.ended': 'Signed out',
  'session.others-revoked': 'Ended all of their other sessions',
  'session.reauthenticated': 'Confirmed who they are',
  'session.reauthentication-refused': 'Could not confirm who they are',
  'session.refused': 'A sign-in failed',
  'session.revoked': 'Ended a session',
  'settings.changed': 'Changed the settings',
  'two-factor.code-sent': 'Was sent a sign-in code by e-mail',
  'two-factor.disabled': 'Turned off two-factor authentication',
  'two-factor.enabled': 'Turned on two-factor authentication',
  'two-factor.recovery-codes-replaced': 'Made new recovery codes',
  'two-factor.refused': 'Gave a wrong two-factor code',
  'two-factor.removed': 'Turned off a user’s two-factor authentication',
  'two-factor.setup-started': 'Began to set up two-factor authentication',
  'user.changed': 'Changed a user',
  'user.created': 'Created a user',
  'user.deleted': 'Deleted a user',
}

/** For choosing one, in the order of their names. */
export const knownActions: readonly (readonly [action: string, title: string])[] = Object.entries(words)

/** One that is not known by its name: `server.power-cycled` is “Server power cycled”. */
export function actionInWords(action: string): string {
  const known = words[action]
  if (known !== undefined) return known
  const spaced = action.replace(/[._-]+/g, ' ')
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

export function isKnownAction(action: string): boolean {
  return Object.hasOwn(words, action)
}

/** What was refused catches the eye. */
export function isWarning(action: string): boolean {
  return /refused$|^device\.denied$/.test(action)
}
