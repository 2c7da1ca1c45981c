import { type TSchema, Type } from '@sinclair/typebox'
import { type Quotas, quotasSchema } from './quotas.js'
import type { UserRecord } from './user-record.js'

/** A user as `/api/users` shows them. */
export interface UserView {
  readonly id: string
  readonly email: string
  readonly name: string | null
  readonly permissions: readonly string[]
  readonly suspended: boolean
  /** The user's own limits, in place of the settings' `quotas`. */
  readonly quotas: Quotas | null
  /** ISO 8601, UTC; the next too. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** JSON Schema of `UserView`. */
export const userViewSchema: TSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    permissions: Type.Array(Type.String()),
    suspended: Type.Boolean(),
    quotas: quotasSchema,
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'User' },
)

export function toUserView(record: UserRecord): UserView {
  return {
    id: record.id,
    email: record.email,
    name: record.name,
    permissions: record.permissions,
    suspended: record.suspended,
    quotas: record.quotas ?? null,
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
  }
}
