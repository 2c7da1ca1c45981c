import { type TInteger, type TNull, type TRecord, type TString, type TUnion, Type } from '@sinclair/typebox'
import { refuse } from '../input.js'

/** A user's or organisation's own limits by name, in place of the settings' `quotas`. */
export type Quotas = Readonly<Record<string, number>>

/** Merged into what there is (RFC 7396): `null` lifts one, or in place of all of them all. */
export type QuotaChange = Readonly<Record<string, number | null>> | null

const maxQuotas = 50
const maxQuota = 1_000_000_000

/** JSON Schema of `QuotaChange`: camelCase names, whole numbers. */
export const quotaChangeSchema: TUnion<[TRecord<TString, TUnion<[TInteger, TNull]>>, TNull]> = Type.Union([
  Type.Record(
    Type.String({ pattern: '^[a-z][A-Za-z0-9]{0,63}$' }),
    Type.Union([Type.Integer({ minimum: 0, maximum: maxQuota }), Type.Null()]),
    { additionalProperties: false, maxProperties: maxQuotas },
  ),
  Type.Null(),
])

/** JSON Schema of quotas in an answer. */
export const quotasSchema: TUnion<[TRecord<TString, TInteger>, TNull]> = Type.Union([
  Type.Record(Type.String(), Type.Integer()),
  Type.Null(),
])

/**
 * What is in force after the change; `null` when nothing is.
 * @throws `CORE_ERR_VALIDATION_FAILED` (400) when there would be too many
 */
export function mergeQuotas(present: Quotas | null, change: QuotaChange): Quotas | null {
  if (change === null) return null
  const merged = new Map(Object.entries(present ?? {}))
  for (const [name, value] of Object.entries(change)) {
    if (value === null) merged.delete(name)
    else merged.set(name, value)
  }
  if (merged.size > maxQuotas) throw refuse('/quotas', `must be ${maxQuotas} at most`)
  return merged.size === 0 ? null : Object.fromEntries(merged)
}
