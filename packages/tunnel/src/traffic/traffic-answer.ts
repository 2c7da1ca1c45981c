import { type TInteger, type TUnsafe, Type } from '@sinclair/typebox'
import { trafficFields } from '../allocations/allocation.js'
import { timeSchema, viewSchema } from '../view-schema.js'
import type { LiveTraffic } from './running-totals.js'
import type { TrafficSeries } from './series.js'

/** Answer to `GET /api/tunnel/allocations/:id/traffic`. */
export interface TrafficAnswer extends TrafficSeries {
  /** At this moment. */
  readonly now: LiveTraffic
}

const count: TInteger = Type.Integer({ minimum: 0 })

/** Fields of `LiveTraffic`. */
export const liveTrafficFields: Readonly<Record<keyof LiveTraffic, TInteger>> = {
  ...trafficFields,
  bytesInPerSecond: { ...count, description: 'Over the last second or so.' },
  bytesOutPerSecond: { ...count, description: 'Over the last second or so.' },
}

export const trafficAnswerSchema: TUnsafe<TrafficAnswer> = viewSchema<TrafficAnswer>()(
  Type.Object(
    {
      resolution: Type.Union([Type.Literal('minute'), Type.Literal('hour')]),
      from: { ...timeSchema, description: "The first point's time." },
      to: { ...timeSchema, description: 'End of the last point.' },
      points: Type.Array(Type.Object({ at: timeSchema, bytesIn: count, bytesOut: count, connections: count })),
      now: Type.Object(liveTrafficFields),
    },
    { $id: 'TrafficSeries' },
  ),
)
