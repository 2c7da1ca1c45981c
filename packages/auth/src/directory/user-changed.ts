import { type DirectoryChange, defineEvent, type EventToken } from '@sallyport/core'

/** The built-in directory's change feed, heard by every instance. */
export const userChanged: EventToken<DirectoryChange> = defineEvent<DirectoryChange>('auth.user.changed')
