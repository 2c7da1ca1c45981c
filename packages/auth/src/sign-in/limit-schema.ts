import { type TObject, type TUnsafe, Type } from '@sinclair/typebox'
import type { AttemptLimit, AttemptLimits } from './attempts.js'

const maxWindowSeconds = 86_400
const quarterOfAnHour = 900

/** Configuration schema of a limit, with its default. */
export function limitSchema(points: number, windowSeconds: number = quarterOfAnHour): TUnsafe<AttemptLimit> {
  const fields: TObject = Type.Object(
    {
      points: Type.Integer({ minimum: 1, default: points }),
      windowSeconds: Type.Integer({ minimum: 1, maximum: maxWindowSeconds, default: windowSeconds }),
    },
    { additionalProperties: false, default: {} },
  )
  return Type.Unsafe<AttemptLimit>(fields)
}

/** Configuration schema of limits per account and per address, with their defaults. */
export function limitsSchema(perAccount: number, perAddress: number, windowSeconds?: number): TUnsafe<AttemptLimits> {
  const fields: TObject = Type.Object(
    { perAccount: limitSchema(perAccount, windowSeconds), perAddress: limitSchema(perAddress, windowSeconds) },
    { additionalProperties: false, default: {} },
  )
  return Type.Unsafe<AttemptLimits>(fields)
}
