import type { TrafficSeries } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'

export type RangeName = 'hour' | 'day' | 'quarter'

interface Range {
  readonly label: string
  /** `12 MB in the last hour`. */
  readonly words: string
  readonly resolution: TrafficSeries['resolution']
  readonly stepSeconds: number
  readonly steps: number
  /** When it is read again: each minute the series of the hour has one point more. */
  readonly refreshMs: number
}

export const ranges: Readonly<Record<RangeName, Range>> = {
  hour: { label: 'Hour', words: 'the last hour', resolution: 'minute', stepSeconds: 60, steps: 60, refreshMs: 60_000 },
  day: {
    label: 'Day',
    words: 'the last 24 hours',
    resolution: 'minute',
    stepSeconds: 60,
    steps: 1_440,
    refreshMs: 300_000,
  },
  quarter: {
    label: '90 days',
    words: 'the last 90 days',
    resolution: 'hour',
    stepSeconds: 3_600,
    steps: 2_160,
    refreshMs: 900_000,
  },
}

/** One minute or hour. Rates are its average, in bytes per second. */
export interface Point {
  /** Its beginning, in seconds since 1970. */
  readonly at: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly inPerSecond: number
  readonly outPerSecond: number
  readonly connections: number
}

export interface Series {
  readonly range: RangeName
  readonly points: readonly Point[]
  /** By how many seconds the panel's clock is ahead of the browser's. */
  readonly clockOffset: number
}

/** The difference that the last answer showed, in seconds. */
let clockOffset = 0
/** An answer tells full seconds, and is some time on its way. */
const leastOffset = 2
/** What has passed is written down every few seconds: over less than that no rate can be told. */
const leastSeconds = 10

/** Reads what passed an allocation, up to now by the panel's clock. */
export async function readSeries(id: number, range: RangeName): Promise<Series> {
  const { resolution, steps, stepSeconds } = ranges[range]
  const now = Date.now() + clockOffset * 1_000
  const query =
    range === 'hour'
      ? { resolution }
      : {
          resolution,
          from: new Date(
            Math.ceil(now / 1_000 / stepSeconds) * stepSeconds * 1_000 - steps * stepSeconds * 1_000,
          ).toISOString(),
          to: new Date(now).toISOString(),
        }
  const params = { path: { id: String(id) }, query }
  const request = api.GET('/api/tunnel/allocations/{id}/traffic', { params })
  const answer = await unwrap(request)
  const { response } = await request
  const ahead = (Date.parse(response.headers.get('date') ?? '') - Date.now()) / 1_000
  clockOffset = Math.abs(ahead) > leastOffset ? ahead : 0
  return toSeries(range, answer, Date.now() / 1_000 + clockOffset)
}

/** @param now of the panel's clock, in seconds */
function toSeries(range: RangeName, { points }: TrafficSeries, now: number): Series {
  const { stepSeconds } = ranges[range]
  return {
    range,
    clockOffset,
    points: points.map(({ at, bytesIn, bytesOut, connections }) => {
      const begin = Date.parse(at) / 1_000
      // The last one is not over yet.
      const seconds = Math.max(leastSeconds, Math.min(stepSeconds, now - begin))
      const [inPerSecond, outPerSecond] = [bytesIn / seconds, bytesOut / seconds]
      return { at: begin, bytesIn, bytesOut, inPerSecond, outPerSecond, connections }
    }),
  }
}

/** A half's and its twin's, as one. */
export interface Summary {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly connections: number
  /** Where the most passed; undefined when nothing did. */
  readonly peak: Point | undefined
}

export function summarise({ points }: Series): Summary {
  let peak: Point | undefined
  let [bytesIn, bytesOut, connections] = [0, 0, 0]
  for (const point of points) {
    bytesIn += point.bytesIn
    bytesOut += point.bytesOut
    connections += point.connections
    const most = peak ? peak.inPerSecond + peak.outPerSecond : 0
    if (point.inPerSecond + point.outPerSecond > most) peak = point
  }
  return { bytesIn, bytesOut, connections, peak }
}
