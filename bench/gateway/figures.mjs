/** The value that this share of all is not above; `share` from 0 to 1. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
