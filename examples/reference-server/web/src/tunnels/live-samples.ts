import type { Point } from './series.js'

/** The rate of a moment. */
export interface Sample {
  readonly at: number
  readonly inPerSecond: number
  readonly outPerSecond: number
}

/** More than pass between two readings of the series. */
const maxSamples = 240

/** Another sample; those that a full minute of the series tells of already go. */
export function addSample(samples: readonly Sample[], sample: Sample, points: readonly Point[]): readonly Sample[] {
  const since = points.at(-1)?.at ?? 0
  return [...samples.filter(({ at }) => at > since), sample].slice(-maxSamples)
}

/** What is drawn: the series, and at its end what has been seen since. */
export function drawn(points: readonly Point[], samples: readonly Sample[]): readonly Sample[] {
  const last = points.at(-1)?.at ?? 0
  return [...points, ...samples.filter(({ at }) => at > last)]
}
