import {
  coreErrors,
  type DirectoryUser,
  type Principal,
  permits,
  permitsAll,
  type UserDirectory,
} from '@sallyport/core'
import { authErrors } from '../../errors.js'
import type { KnownKey } from './api-key-strategy.js'
import { narrowPermissions } from './key-in-force.js'
import type { KeyMaker, KeyRecord } from './key-record.js'
import type { ActingKey, KeyStore } from './key-store.js'
import type { KeyType } from './key-text.js'

/** Who makes or changes keys: a user, or one by a key of theirs. */
export interface Caller {
  readonly userId: string
  readonly permissions: readonly string[]
  readonly key: KnownKey | undefined
}

/** A key that somebody is about to change, and its owner, who may be gone. */
export interface TargetKey {
  readonly record: KeyRecord
  readonly owner: DirectoryUser | undefined
}

/** @throws `CORE_ERR_FORBIDDEN` (403) for a key of another strategy: how far it reaches is not known here */
export function callerOf({ kind, id, userId, permissions }: Principal, key: KnownKey | undefined): Caller {
  if (kind === 'user') return { userId: id, permissions, key: undefined }
  if (kind !== 'apiKey' || userId === undefined || !key) throw coreErrors.FORBIDDEN()
  return { userId, permissions, key }
}

/** What a caller is to the key that they are shown the secret of. */
export async function makerOf({ key, userId }: Caller, ownerId: string, users: UserDirectory): Promise<KeyMaker> {
  if (key) return { madeByKey: key.record.id, madeByUser: null, madeByStamp: null }
  if (userId === ownerId) return { madeByKey: null, madeByUser: null, madeByStamp: null }
  const maker = await users.findById(userId)
  if (!maker) throw coreErrors.INVALID_CREDENTIALS()
  return { madeByKey: null, madeByUser: userId, madeByStamp: maker.accessStamp ?? null }
}

export function actingKey({ key }: Caller): ActingKey | undefined {
  return key && { id: key.record.id, digest: key.digest }
}

/**
 * Refuses a key of powers that its maker or its owner does not hold. What every user may give to a key of their own
 * (`scopes`) a user may, and a key of theirs as far as it has been given it itself.
 * @throws `CORE_ERR_PERMISSION_REQUIRED`, `AUTH_ERR_GRANT_EXCEEDED`, `AUTH_ERR_API_KEY_EXCEEDS_OWNER` (403)
 */
export function assertMayGive(
  caller: Caller,
  type: KeyType,
  permissions: readonly string[],
  owner: DirectoryUser | undefined,
  scopes: readonly string[],
): void {
  const held = owner?.permissions ?? []
  if (type === 'admin') {
    if (!holdsAll(caller)) throw coreErrors.PERMISSION_REQUIRED({ permission: '*' })
    if (!permits(held, '*')) throw authErrors.API_KEY_EXCEEDS_OWNER()
    return
  }
  const { key } = caller
  const own = owner?.id !== caller.userId ? [] : key ? scopes.filter((scope) => permits(key.scopes, scope)) : scopes
  if (!permitsAll([...caller.permissions, ...own], permissions)) throw authErrors.GRANT_EXCEEDED()
  if (!permitsAll([...held, ...scopes], permissions)) throw authErrors.API_KEY_EXCEEDS_OWNER()
}

/**
 * Refuses to show the secret of a key that acts for another: its holder is that user, wherever no permission is asked.
 * @throws `AUTH_ERR_USER_HOLDS_MORE` (403)
 */
export function assertMayActFor(caller: Caller, owner: DirectoryUser | undefined): void {
  if (owner?.id === caller.userId) return
  if (!permitsAll(caller.permissions, owner?.permissions ?? [])) throw authErrors.USER_HOLDS_MORE()
}

/**
 * Refuses a key that would last longer than the key by which it is made or changed, or could be used from elsewhere.
 * @throws `AUTH_ERR_API_KEY_EXCEEDS_MAKER` (403)
 */
export function assertWithinOwn(
  { key }: Caller,
  { expiresAt, allowedIps }: Pick<KeyRecord, 'expiresAt' | 'allowedIps'>,
): void {
  if (!key) return
  if (key.expiresAt && (!expiresAt || expiresAt > key.expiresAt)) {
    throw authErrors.API_KEY_EXCEEDS_MAKER({ field: 'expiresAt' })
  }
  const within = key.addresses.every((list) => allowedIps.length > 0 && allowedIps.every((entry) => list.covers(entry)))
  if (!within) throw authErrors.API_KEY_EXCEEDS_MAKER({ field: 'allowedIps' })
}

/**
 * Finds a key for somebody who wants to change it.
 * @throws `CORE_ERR_NOT_FOUND` (404) for another's, without the permission `apikeys:write` or `users:write`;
 *   `AUTH_ERR_API_KEY_HOLDS_MORE` (403) for one that may do what the caller may not
 */
export async function findTarget(
  caller: Caller,
  id: string,
  store: KeyStore,
  users: UserDirectory,
  scopes: readonly string[],
): Promise<TargetKey> {
  const record = await store.findById(id)
  const isOwn = record?.userId === caller.userId
  if (!record || !(isOwn || maySeeAll(caller.permissions, 'write'))) throw coreErrors.NOT_FOUND()
  const owner = await users.findById(record.userId)
  const isItself = caller.key?.record.id === id
  if (!isItself && !(isOwn && !caller.key)) assertHoldsPowers(caller, { record, owner }, scopes)
  return { record, owner }
}

/** Whether somebody with these permissions is told of others' keys, or may change them. */
export function maySeeAll(permissions: readonly string[], action: 'read' | 'write'): boolean {
  return permits(permissions, `apikeys:${action}`) || (action === 'write' && permits(permissions, 'users:write'))
}

function assertHoldsPowers(caller: Caller, { record, owner }: TargetKey, scopes: readonly string[]): void {
  const powers = narrowPermissions(record.permissions, owner?.permissions ?? [])
  const given = scopes.filter((scope) => permits(record.permissions, scope))
  const holds =
    record.type === 'admin'
      ? holdsAll(caller)
      : permitsAll(caller.permissions, powers) && permitsAll(caller.key?.scopes ?? caller.permissions, given)
  if (!holds) throw authErrors.API_KEY_HOLDS_MORE()
}

/** Of keys only an admin key may what only administrators may. */
function holdsAll({ permissions, key }: Caller): boolean {
  return permits(permissions, '*') && (!key || key.record.type === 'admin')
}

/** Whether the key is one of those that made the caller's: it lasts longer than that. */
export function isMakerOf(record: KeyRecord, { key }: Caller): boolean {
  return key?.chain.slice(1).some(({ id }) => id === record.id) ?? false
}
