import type { Http, Principal, Sql } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { type AllocationRow, storedTraffic } from '../allocations/allocation.js'
import { readSeries } from './series.js'
import type { TrafficCounter } from './traffic.js'
import { type TrafficAnswer, trafficAnswerSchema } from './traffic-answer.js'

interface TrafficRoutes {
  readonly sql: Sql
  readonly traffic: TrafficCounter
  /** @throws 404 when it is not there or not the principal's to see */
  readonly find: (id: string, principal: Principal) => Promise<AllocationRow>
}

const time = Type.Optional(Type.String({ maxLength: 40 }))
const quiet = Object.freeze({ bytesInPerSecond: 0, bytesOutPerSecond: 0 })

export function addTrafficRoutes(http: Http, { sql, traffic, find }: TrafficRoutes): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/allocations/:id/traffic',
    access: { kinds: ['user', 'apiKey', 'device'] },
    summary: 'What passed an allocation, by minutes or hours, and what passes now',
    description:
      'From `from` (rounded down) to `to` (rounded up), ISO 8601 with a zone; by default the last 60 minutes or 24 hours. ' +
      'At most 1,500 minutes or 2,200 hours. One point for each minute or hour, zeros where nothing passed or nothing is kept.',
    tag: 'tunnel allocations',
    params: Type.Object({ id: Type.String({ maxLength: 32 }) }),
    query: Type.Object(
      {
        resolution: Type.Optional(Type.Union([Type.Literal('minute'), Type.Literal('hour')])),
        from: time,
        to: time,
      },
      { additionalProperties: false },
    ),
    response: { 200: trafficAnswerSchema },
    handler: async ({ params, query, principal }) => {
      const row = await find(params.id, principal)
      const series = await readSeries(sql, Number(row.id), { ...query, resolution: query.resolution ?? 'minute' })
      traffic.observe()
      await traffic.refresh([row.relay_id])
      const answer: TrafficAnswer = { ...series, now: traffic.live(row) ?? { ...storedTraffic(row), ...quiet } }
      return answer
    },
  })
}
