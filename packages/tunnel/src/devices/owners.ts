import type { DirectoryUser, UserDirectory } from '@sallyport/core'
import { tunnelErrors } from '../errors.js'

/** What the directory says of the people who own devices. Without a directory everybody is who they are said to be. */
export interface Owners {
  /**
   * The access stamp that a device gets with a token; null: there is none.
   * @throws `TUNNEL_ERR_OWNER_UNKNOWN` (400)
   */
  stampOf(ownerId: string | null): Promise<string | null>
  /** Whether a device with that stamp may still act for its owner. What is known of an owner counts for a second. */
  isInForce(ownerId: string | null, stamp: string | null): Promise<boolean>
  /** Forgets what is known of an owner. */
  forget(ownerId: string): void
}

interface KnownOwner {
  readonly atMs: number
  readonly user: Promise<DirectoryUser | undefined>
}

const knownForMs = 1_000
/** Owners remembered; the oldest give way. */
const maxKnown = 10_000

export function createOwners(directory: UserDirectory | undefined): Owners {
  const known = new Map<string, KnownOwner>()

  const find = (directory: UserDirectory, ownerId: string): Promise<DirectoryUser | undefined> => {
    const nowMs = performance.now()
    const remembered = known.get(ownerId)
    if (remembered && nowMs - remembered.atMs < knownForMs) return remembered.user
    const entry: KnownOwner = { atMs: nowMs, user: directory.findById(ownerId) }
    // Deleted first, so that the map stays in the order of age.
    known.delete(ownerId)
    known.set(ownerId, entry)
    entry.user.catch(() => {
      if (known.get(ownerId) === entry) known.delete(ownerId)
    })
    const [oldest] = known.keys()
    if (known.size > maxKnown && oldest !== undefined) known.delete(oldest)
    return entry.user
  }

  return {
    async stampOf(ownerId) {
      if (ownerId === null || !directory) return null
      const owner = await directory.findById(ownerId)
      if (!owner || owner.suspended) throw tunnelErrors.OWNER_UNKNOWN()
      return owner.accessStamp ?? null
    },
    async isInForce(ownerId, stamp) {
      if (ownerId === null || !directory) return true
      const owner = await find(directory, ownerId)
      if (!owner || owner.suspended) return false
      // Neither is known of a device that was approved before there were stamps.
      return owner.accessStamp === undefined || stamp === null || owner.accessStamp === stamp
    },
    forget: (ownerId) => void known.delete(ownerId),
  }
}
