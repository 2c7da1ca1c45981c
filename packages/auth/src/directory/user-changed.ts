import { type DirectoryChange, defineEvent, type EventToken } from '@sallyport/core'

/** An organisation of the built-in directory is gone; heard by every instance. */
export const organisationDeleted: EventToken<{ organisationId: string }> = defineEvent('auth.organisation.deleted')

/** The built-in directory's change feed, heard by every instance. */
export const userChanged: EventToken<DirectoryChange> = defineEvent<DirectoryChange>('auth.user.changed')
