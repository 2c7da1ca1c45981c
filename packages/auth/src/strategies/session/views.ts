import type { DirectoryUser, Membership } from '@sallyport/core'
import { type TSchema, Type } from '@sinclair/typebox'
import type { Session } from './sessions.js'

/** The signed-in user, as sign-in and `GET /api/auth/session` show them. */
export interface AccountView {
  readonly id: string
  readonly email: string
  readonly name: string | null
  readonly permissions: readonly string[]
  readonly memberships: readonly Membership[]
}

/** A session, as its user sees it. Times are ISO 8601, UTC. */
export interface SessionView {
  readonly id: string
  readonly createdAt: string
  readonly authenticatedAt: string
  readonly lastSeenAt: string
  readonly expiresAt: string
  readonly ip: string
  readonly userAgent: string | null
  /** By what its user proved who they are, such as `password` and `totp`. */
  readonly methods: readonly string[]
  /** Whether the request itself is made with it. */
  readonly current: boolean
}

const time = Type.String({ format: 'date-time' })

/** JSON Schema of `AccountView`. */
export const accountViewSchema: TSchema = Type.Object(
  {
    id: Type.String(),
    email: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    permissions: Type.Array(Type.String()),
    memberships: Type.Array(
      Type.Object({
        organisationId: Type.String(),
        role: Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')]),
      }),
    ),
  },
  { $id: 'Account' },
)

/** JSON Schema of `SessionView`. */
export const sessionViewSchema: TSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    createdAt: time,
    authenticatedAt: time,
    lastSeenAt: time,
    expiresAt: time,
    ip: Type.String(),
    userAgent: Type.Union([Type.String(), Type.Null()]),
    methods: Type.Array(Type.String()),
    current: Type.Boolean(),
  },
  { $id: 'Session' },
)

/** JSON Schema of `{ success: true }`. */
export const successSchema: TSchema = Type.Object({ success: Type.Boolean() })

export function toAccountView({ id, email, name, permissions, memberships }: DirectoryUser): AccountView {
  return { id, email, name, permissions, memberships }
}

export function toSessionView(session: Session, currentId: string | undefined): SessionView {
  return {
    id: session.id,
    createdAt: session.createdAt.toISOString(),
    authenticatedAt: session.authenticatedAt.toISOString(),
    lastSeenAt: session.lastSeenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    ip: session.ip,
    userAgent: session.userAgent,
    methods: session.methods,
    current: session.id === currentId,
  }
}
