import { type TSchema, Type } from '@sinclair/typebox'
import type { KeyRecord } from './key-record.js'
import type { KeyUsage } from './key-usage.js'

/** An API key as lists show it; the key itself is shown once, when it is made. */
export interface ApiKeyView {
  readonly id: string
  readonly name: string
  readonly type: 'client' | 'admin'
  /** Of an admin key `*`. It may be less at the moment: never more than its owner may. */
  readonly permissions: readonly string[]
  /** Its first characters. */
  readonly prefix: string
  /** ISO 8601, UTC; the next too. */
  readonly createdAt: string
  readonly expiresAt: string | null
  /** To the minute. */
  readonly lastUsedAt: string | null
  /** Its owner. */
  readonly userId: string
  /** Addresses and CIDR ranges that it may be used from; empty: any. */
  readonly allowedIps: readonly string[]
}

const time = Type.String({ format: 'date-time' })
const optionalTime = Type.Union([time, Type.Null()])

/** JSON Schema of `ApiKeyView`. */
export const apiKeyViewSchema: TSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    type: Type.Union([Type.Literal('client'), Type.Literal('admin')]),
    permissions: Type.Array(Type.String()),
    prefix: Type.String(),
    createdAt: time,
    expiresAt: optionalTime,
    lastUsedAt: optionalTime,
    userId: Type.String(),
    allowedIps: Type.Array(Type.String()),
  },
  { $id: 'ApiKey' },
)

/** JSON Schema of the answer that shows a key. */
export const shownKeySchema: TSchema = Type.Object({
  success: Type.Boolean(),
  apiKey: Type.String({ description: 'The key. It is not shown again.' }),
  id: Type.String({ format: 'uuid' }),
  entry: apiKeyViewSchema,
})

export function toApiKeyView(record: KeyRecord, usage: KeyUsage): ApiKeyView {
  return {
    id: record.id,
    name: record.name,
    type: record.type,
    permissions: record.permissions,
    prefix: record.prefix,
    createdAt: record.createdAt.toISOString(),
    expiresAt: record.expiresAt?.toISOString() ?? null,
    lastUsedAt: usage.lastUsedAt(record)?.toISOString() ?? null,
    userId: record.userId,
    allowedIps: record.allowedIps,
  }
}
