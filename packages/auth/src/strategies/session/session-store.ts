import { randomUUID } from 'node:crypto'
import type { DirectoryUser, TokenIssuer } from '@sallyport/core'
import { Op, type WhereOptions } from 'sequelize'
import type { EndedCredentials } from '../../credential-cache.js'
import { isUuid } from '../../uuid.js'
import type { SessionRecord, SessionRecords } from './session-record.js'
import type { Session, Sessions } from './sessions.js'

const maxUserAgentLength = 300
/** Of one user; beginning another ends the one longest unused. */
const maxSessionsPerUser = 1_000
/** How far `last_seen_at` may lag behind: a session in use is written this often and no more. */
const touchIntervalMs = 60_000

export interface SessionStoreOptions {
  readonly records: SessionRecords
  readonly issuer: TokenIssuer
  /** Unused for so long, a session ends. */
  readonly idleTimeoutSeconds: number
  /** So long after its beginning a session ends, used or not; its token then expires too. */
  readonly lifetimeSeconds: number
  /** Told, after the database has been, of sessions that are other than they were. */
  readonly onEnded: (ended: EndedCredentials) => Promise<void>
}

/** `Sessions` on the database, and what only the strategy needs. */
export interface SessionStore extends Sessions {
  /** Ends those of a user that were begun under another stamp than the present one, or all for a user without stamps. */
  revokeOutdated(user: DirectoryUser): Promise<number>
  /** Makes a session freshly authenticated. `false` when it has ended. */
  freshen(userId: string, id: string, methods: readonly string[]): Promise<boolean>
  /** The session as it is in the database now, if in force; the user's stamp is compared by the caller. */
  find(id: string): Promise<SessionRecord | undefined>
  /** Puts off the session's end, at most once a minute; `undefined` when there is nothing to do. */
  touch(record: SessionRecord): Promise<void> | undefined
  /** Deletes what has expired. */
  purge(): Promise<void>
}

export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { records, issuer, lifetimeSeconds, onEnded } = options
  const idleMs = options.idleTimeoutSeconds * 1000
  const lifetimeMs = lifetimeSeconds * 1000
  const expiry = (createdAt: Date, now: Date): Date =>
    new Date(Math.min(createdAt.getTime() + lifetimeMs, now.getTime() + idleMs))

  const endOldest = async (userId: string): Promise<void> => {
    const order: [string, string][] = [['lastSeenAt', 'DESC']]
    const surplus = await records.findAll({ attributes: ['id'], where: { userId }, order, offset: maxSessionsPerUser })
    if (surplus.length === 0) return
    const ids = surplus.map(({ id }) => id)
    await records.destroy({ where: { id: ids } })
    await onEnded({ ids })
  }
  /** Ends those of a user that `where` finds. */
  const end = async (userId: string, where: WhereOptions): Promise<number> => {
    const ended = await records.destroy({ where: { ...where, userId } })
    // Though there was none: another may just have ended it, and this answer too must not come before all know it.
    await onEnded({ userId })
    return ended
  }

  const putOff = async (record: SessionRecord, now: Date): Promise<void> => {
    // The condition keeps requests that come together from each writing, and an ended session from coming back.
    const where = { id: record.id, lastSeenAt: record.lastSeenAt }
    // At once, for the requests that come in the meantime.
    const next = { lastSeenAt: now, expiresAt: expiry(record.createdAt, now) }
    record.set(next)
    await records.update(next, { where })
  }

  return {
    async begin(user, { ip, userAgent, methods = ['password'] }) {
      const now = new Date()
      const record = await records.create({
        id: randomUUID(),
        userId: user.id,
        securityStamp: user.securityStamp ?? null,
        createdAt: now,
        authenticatedAt: now,
        lastSeenAt: now,
        expiresAt: expiry(now, now),
        ip,
        userAgent: userAgent?.slice(0, maxUserAgentLength) ?? null,
        methods: [...methods],
      })
      await endOldest(user.id)
      const token = issuer.issue({ subject: user.id, id: record.id, expiresInSeconds: lifetimeSeconds })
      return { token, session: toSession(record) }
    },
    async list(user) {
      const where = { userId: user.id, expiresAt: { [Op.gt]: new Date() }, ...stampOf(user) }
      const order: [string, string][] = [['lastSeenAt', 'DESC']]
      return (await records.findAll({ where, order })).map(toSession)
    },
    revoke: async (userId, id) => isUuid(id) && (await end(userId, { id })) > 0,
    revokeOthers: (userId, keptId) => end(userId, { id: { [Op.ne]: keptId } }),
    revokeAll: (userId) => end(userId, {}),
    async renew(user, keptId) {
      const kept = { securityStamp: user.securityStamp ?? null, authenticatedAt: new Date() }
      await records.update(kept, { where: { id: keptId, userId: user.id } })
      // One begun with the new password meanwhile has the new stamp, and stays.
      await end(user.id, { id: { [Op.ne]: keptId }, ...otherStampThan(user) })
    },
    revokeOutdated: (user) => end(user.id, otherStampThan(user)),
    async freshen(userId, id, methods) {
      const now = new Date()
      const where = { id, userId, expiresAt: { [Op.gt]: now } }
      const [updated] = await records.update({ authenticatedAt: now, methods: [...methods] }, { where })
      await onEnded({ ids: [id] })
      return updated > 0
    },
    async find(id) {
      if (!isUuid(id)) return undefined
      return (await records.findOne({ where: { id, expiresAt: { [Op.gt]: new Date() } } })) ?? undefined
    },
    touch(record) {
      const now = new Date()
      if (now.getTime() - record.lastSeenAt.getTime() < touchIntervalMs) return undefined
      return putOff(record, now)
    },
    async purge() {
      await records.destroy({ where: { expiresAt: { [Op.lte]: new Date() } } })
    },
  }
}

function stampOf({ securityStamp }: DirectoryUser): { securityStamp?: string } {
  return securityStamp === undefined ? {} : { securityStamp }
}

function otherStampThan({ securityStamp }: DirectoryUser): WhereOptions {
  return securityStamp === undefined ? {} : { securityStamp: { [Op.or]: [{ [Op.ne]: securityStamp }, null] } }
}

export function toSession(record: SessionRecord): Session {
  const { id, userId, createdAt, authenticatedAt, lastSeenAt, expiresAt, ip, userAgent, methods } = record
  return { id, userId, createdAt, authenticatedAt, lastSeenAt, expiresAt, ip, userAgent, methods }
}
