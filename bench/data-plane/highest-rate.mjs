export const MAX_LOSS = 0.001
/** A rate that was good and one that was not are close enough within this. */
const PRECISION = 1.05
const MAX_PROBES = 16
/** Under this share of what was asked for it is the load that does not send more. */
const LOAD_SHARE = 0.9

/**
 * The highest rate that loses less than 0.1 %: up in steps from `from` until it does not hold, then by halving. `probe(rate)` gives
 * `{ rate, loss }`, the rate being what was really sent. One bad probe may be another process's doing; two are not.
 * `short`: the load did not bring itself to send more, so that the limit may be beyond.
 */
export async function highestRate(probe, { from, step }) {
  const once = async (wanted) => {
    const { rate, loss } = await probe(wanted)
    return { rate, holds: loss < MAX_LOSS, short: rate < wanted * LOAD_SHARE }
  }
  let good = 0
  let bad = Number.POSITIVE_INFINITY
  let wanted = from
  let short = false
  for (let probes = 0; probes < MAX_PROBES && wanted >= 100; probes++) {
    let result = await once(wanted)
    if (!result.holds || result.short) {
      const again = await once(wanted)
      if (again.holds || !result.holds) result = again
    }
    if (result.holds) {
      good = Math.max(good, result.rate)
      short = result.short
      if (short) break
    } else bad = wanted
    if (bad / good < PRECISION) break
    if (good === 0) wanted = bad / step ** 2
    else wanted = bad === Number.POSITIVE_INFINITY ? wanted * step : Math.sqrt(good * bad)
  }
  return { rate: good, short }
}

/** For the names of the systems where that was so. */
export function shortNotes(names) {
  return [...names].map((name) => `${name}: the load came to no more before anything was lost; the limit may be higher`)
}
