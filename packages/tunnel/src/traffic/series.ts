import { coreErrors, type Sql } from '@sallyport/core'

export type Resolution = 'minute' | 'hour'

/** What passed from `at` for one minute or hour. */
export interface TrafficPoint {
  readonly at: string
  readonly bytesIn: number
  readonly bytesOut: number
  readonly connections: number
}

export interface TrafficSeries {
  readonly resolution: Resolution
  /** The first point's time. */
  readonly from: string
  /** End of the last point. */
  readonly to: string
  /** One for each minute or hour, zeros where nothing passed or nothing is kept any more. */
  readonly points: readonly TrafficPoint[]
}

/** ISO 8601 times, a zone in them. */
export interface SeriesRequest {
  readonly resolution: Resolution
  readonly from?: string | undefined
  readonly to?: string | undefined
}

const minuteMs = 60_000
const steps = {
  minute: { ms: minuteMs, max: 1_500, default: 60 },
  hour: { ms: 60 * minuteMs, max: 2_200, default: 24 },
} as const
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

const statements: Readonly<Record<Resolution, string>> = {
  minute: `
    SELECT at, bytes_in, bytes_out, connections FROM tunnel_traffic_minutes
    WHERE allocation_id = $1 AND at >= $2::timestamptz AND at < $3::timestamptz`,
  // An hour is in one table or in the other or, what came late, in both.
  hour: `
    SELECT date_trunc('hour', at, 'UTC') AS at, sum(bytes_in)::bigint AS bytes_in, sum(bytes_out)::bigint AS bytes_out,
      sum(connections)::bigint AS connections
    FROM (SELECT * FROM tunnel_traffic_minutes UNION ALL SELECT * FROM tunnel_traffic_hours) series
    WHERE allocation_id = $1 AND at >= $2::timestamptz AND at < $3::timestamptz
    GROUP BY 1`,
}

interface Row {
  readonly at: Date | string
  readonly bytes_in: number | string
  readonly bytes_out: number | string
  readonly connections: number | string
}

/**
 * Reads one allocation's series. Default: up to now, by the database's clock, for 60 minutes or 24 hours.
 * @throws `CORE_ERR_BAD_REQUEST` for times that are none, in the wrong order, or too far apart
 */
export async function readSeries(sql: Sql, allocationId: number, request: SeriesRequest): Promise<TrafficSeries> {
  const { resolution } = request
  const step = steps[resolution]
  const to = ceil(request.to === undefined ? await databaseNow(sql) : parse('to', request.to), step.ms)
  const from = request.from === undefined ? to - step.default * step.ms : floor(parse('from', request.from), step.ms)
  const count = (to - from) / step.ms
  if (count < 1) throw coreErrors.BAD_REQUEST({ reason: 'from must be before to' })
  if (count > step.max)
    throw coreErrors.BAD_REQUEST({ reason: `from and to are more than ${step.max} ${resolution}s apart` })

  const range = [new Date(from).toISOString(), new Date(to).toISOString()] as const
  const rows = await sql<Row>(statements[resolution], [allocationId, ...range])
  const known = new Map(rows.map((row) => [new Date(row.at).getTime(), row]))
  const points = Array.from({ length: count }, (_, n): TrafficPoint => {
    const at = from + n * step.ms
    const row = known.get(at)
    return {
      at: new Date(at).toISOString(),
      bytesIn: Number(row?.bytes_in ?? 0),
      bytesOut: Number(row?.bytes_out ?? 0),
      connections: Number(row?.connections ?? 0),
    }
  })
  return { resolution, from: range[0], to: range[1], points }
}

async function databaseNow(sql: Sql): Promise<number> {
  const [row] = await sql<{ now: Date | string }>('SELECT now() AS now')
  return new Date(row?.now ?? Number.NaN).getTime()
}

function parse(field: string, text: string): number {
  const time = isoTime.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time))
    throw coreErrors.BAD_REQUEST({ reason: `${field} is not a time such as 2026-01-31T12:00:00Z` })
  return time
}

function floor(time: number, step: number): number {
  return Math.floor(time / step) * step
}

function ceil(time: number, step: number): number {
  return Math.ceil(time / step) * step
}
