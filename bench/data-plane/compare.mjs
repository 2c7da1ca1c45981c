import { median } from '../median.mjs'

/** Of nginx's two configurations the one that did better in this measure. */
export function betterNginx(samples, better) {
  const { 'nginx-64k': large, ...rest } = samples
  if (!large || !rest.nginx) return large ? { ...rest, nginx: large } : rest
  const wins = better === 'higher' ? median(large) > median(rest.nginx) : median(large) < median(rest.nginx)
  return wins ? { ...rest, nginx: large } : rest
}

export function medians(samples) {
  return Object.fromEntries(
    Object.entries(samples)
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [name, median(values)]),
  )
}

/** The median of the ratios of samples taken one after the other, which noise moves less than the ratio of medians. */
export function pairedRatio(samples, over, under) {
  if (!samples[over]?.length || !samples[under]?.length) return undefined
  return median(samples[over].map((value, index) => value / samples[under][index]))
}

export function pairedDifference(samples, of, less) {
  if (!samples[of]?.length || !samples[less]?.length) return undefined
  return median(samples[of].map((value, index) => value - samples[less][index]))
}

/** `figure` undefined: what it is compared with is not there, so nobody knows. */
export function atLeast(figure, bound, text) {
  return { text, figure, met: figure === undefined ? undefined : figure >= bound }
}

export function atMost(figure, bound, text) {
  return { text, figure, met: figure === undefined ? undefined : figure <= bound }
}
