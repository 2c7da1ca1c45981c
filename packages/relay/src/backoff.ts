const QUICK_TRIES = 3
/** A link that lived this long has ended the trouble. */
export const STABLE_MS = 5_000

/** How long to wait before the next try after so many failures: a few quick ones, then doubling, all jittered. */
export function retryDelayMs(
  failures: number,
  minMs: number,
  maxMs: number,
  random: () => number = Math.random,
): number {
  if (failures < QUICK_TRIES) return Math.min(maxMs, minMs * (1 + 4 * random()))
  const fullMs = Math.min(maxMs, minMs * 10 * 2 ** Math.min(failures - QUICK_TRIES, 20))
  return fullMs * (0.5 + random() / 2)
}
