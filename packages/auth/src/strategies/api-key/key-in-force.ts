import {
  type AddressList,
  createAddressList,
  type DirectoryUser,
  intersectPermissions,
  isPermission,
  type Membership,
  permits,
} from '@sallyport/core'
import type { KeyRecord } from './key-record.js'

/** What a key is at the moment. */
export interface KeyInForce {
  readonly record: KeyRecord
  readonly owner: DirectoryUser
  readonly permissions: readonly string[]
  /** What it was given, whatever its owner holds; never more than whoever made it had to give. See `Principal.scopes`. */
  readonly scopes: readonly string[]
  readonly memberships: readonly Membership[]
  /** When the first of it and its makers ends. */
  readonly expiresAt: Date | null
  /** An address must be in all of them. */
  readonly addresses: readonly AddressList[]
}

type Powers = Pick<KeyInForce, 'permissions' | 'memberships'>
type KeyPowers = Powers & Pick<KeyInForce, 'scopes'>

/**
 * Grants of one key that are looked at, as many as it is given at most; what lists of patterns have in common can be
 * many more, and every key of a chain would make them more again.
 */
const maxGrants = 200
const ranks: Readonly<Record<Membership['role'], number>> = { member: 0, admin: 1, owner: 2 }

/**
 * Finds what a key may do now: never more than its owner may now, nor than whoever else was shown its secret: the user
 * or the key that made it. `undefined` when it is void, because one of them is gone, suspended, or has been meanwhile.
 * @param chain the key, the key that made it, and so on
 * @param users those whom the chain names, by id
 */
export function keyInForce(
  chain: readonly KeyRecord[],
  users: ReadonlyMap<string, DirectoryUser | undefined>,
): KeyInForce | undefined {
  // One whose first maker was not reached is too long, or goes in a circle.
  if (chain.at(-1)?.madeByKey !== null) return undefined
  let found: KeyInForce | undefined
  for (const record of chain.toReversed()) {
    found = withMaker(record, found, users)
    if (!found) return undefined
  }
  return found
}

/** What a client key's grants come to under a bound. */
export function narrowPermissions(grants: readonly string[], bound: readonly string[]): readonly string[] {
  const exact = new Set(bound.filter(isPermission))
  const patterns = bound.filter(isPattern)
  const whole = new Set(grants.filter((grant) => exact.has(grant) || permits(patterns, grant)))
  // What is no pattern is covered whole or not at all: comparing each with each is left to the few that are.
  const rest = grants.filter((grant) => !whole.has(grant) && isPattern(grant))
  return [...new Set([...whole, ...intersectPermissions(rest, bound)])].slice(0, maxGrants)
}

function isPattern(grant: string): boolean {
  return grant.includes('*')
}

function withMaker(
  record: KeyRecord,
  makingKey: KeyInForce | undefined,
  users: ReadonlyMap<string, DirectoryUser | undefined>,
): KeyInForce | undefined {
  const owner = active(users.get(record.userId), record.accessStamp)
  const maker = record.madeByUser === null ? undefined : active(users.get(record.madeByUser), record.madeByStamp)
  if (!owner || (record.madeByUser !== null && !maker)) return undefined
  const makers = [maker, makingKey].filter((one) => one !== undefined)
  const scopeBounds = [...(maker ? [maker.permissions] : []), ...(makingKey ? [makingKey.scopes] : [])]
  const powers =
    record.type === 'admin' ? adminPowers([owner, ...makers]) : clientPowers(record, owner, makers, scopeBounds)
  if (!powers) return undefined
  const own = record.allowedIps.length === 0 ? [] : [createAddressList(record.allowedIps)]
  return {
    record,
    owner,
    ...powers,
    expiresAt: earlier(record.expiresAt, makingKey?.expiresAt ?? null),
    addresses: [...own, ...(makingKey?.addresses ?? [])],
  }
}

function adminPowers(bounds: readonly Powers[]): KeyPowers | undefined {
  return bounds.every(({ permissions }) => permits(permissions, '*'))
    ? { permissions: ['*'], scopes: ['*'], memberships: [] }
    : undefined
}

function clientPowers(
  record: KeyRecord,
  owner: Powers,
  makers: readonly Powers[],
  scopeBounds: readonly (readonly string[])[],
): KeyPowers {
  const bounds = [owner, ...makers].map(({ permissions }) => permissions)
  return {
    permissions: bounds.reduce(narrowPermissions, record.permissions),
    scopes: scopeBounds.reduce(narrowPermissions, record.permissions),
    memberships: makers.reduce(narrowMemberships, owner.memberships),
  }
}

function narrowMemberships(memberships: readonly Membership[], maker: Powers): readonly Membership[] {
  if (permits(maker.permissions, '*')) return memberships
  return memberships.flatMap((membership) => {
    const own = maker.memberships.find(({ organisationId }) => organisationId === membership.organisationId)
    if (!own) return []
    return ranks[own.role] < ranks[membership.role] ? own : membership
  })
}

/** The user, if nothing that ends keys for good has happened to them since the stamp. */
function active(user: DirectoryUser | undefined, stamp: string | null): DirectoryUser | undefined {
  if (!user || user.suspended) return undefined
  return user.accessStamp === undefined || user.accessStamp === stamp ? user : undefined
}

function earlier(a: Date | null, b: Date | null): Date | null {
  if (!a || !b) return a ?? b
  return a < b ? a : b
}
