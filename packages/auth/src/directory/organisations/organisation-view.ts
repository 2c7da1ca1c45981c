import type { Membership } from '@sallyport/core'
import { type TSchema, Type } from '@sinclair/typebox'
import { type Quotas, quotasSchema } from '../quotas.js'

export type Role = Membership['role']

/** An organisation as `/api/organisations` shows it. */
export interface OrganisationView {
  readonly id: string
  readonly name: string
  /** Its own limits, in place of the settings' `quotas`. */
  readonly quotas: Quotas | null
  /** ISO 8601, UTC; the next too. */
  readonly createdAt: string
  readonly updatedAt: string
  /** The caller's; not there when the caller is no member. */
  readonly role?: Role
}

/** A member as other members see them. */
export interface MemberView {
  readonly userId: string
  readonly email: string
  readonly name: string | null
  readonly role: Role
}

/** A row of `auth_organisations`, with the caller's role. */
export interface OrganisationRow {
  readonly id: string
  readonly name: string
  readonly quotas: Quotas | null
  readonly created_at: Date
  readonly updated_at: Date
  readonly role: Role | null
}

export const roleSchema: TSchema = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')])

/** JSON Schema of `OrganisationView`. */
export const organisationViewSchema: TSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    quotas: quotasSchema,
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
    role: Type.Optional(roleSchema),
  },
  { $id: 'Organisation' },
)

/** JSON Schema of `MemberView`. */
export const memberViewSchema: TSchema = Type.Object(
  {
    userId: Type.String({ format: 'uuid' }),
    email: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    role: roleSchema,
  },
  { $id: 'Member' },
)

export function toOrganisationView(row: OrganisationRow): OrganisationView {
  const { id, name, quotas, created_at, updated_at, role } = row
  return {
    id,
    name,
    quotas,
    createdAt: new Date(created_at).toISOString(),
    updatedAt: new Date(updated_at).toISOString(),
    ...(role && { role }),
  }
}
