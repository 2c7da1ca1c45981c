/** What was not sent in time for this long is left out, so that a generator that fell behind does not catch up in one burst. */
const MAX_BURST_MS = 4

/**
 * Calls `send` as often per second as `rate` says, whatever comes back (open loop), a timer's tick (1 ms) at a time. Tells how
 * often it did and in what time: less than was asked for when this process could not do more.
 */
export function paced(rate, ms, send) {
  const burst = Math.max(1, Math.ceil((rate * MAX_BURST_MS) / 1_000))
  return new Promise((resolve) => {
    const start = performance.now()
    let last = start
    let owed = 1
    let sent = 0
    const tick = () => {
      const now = performance.now()
      owed = Math.min(burst, owed + ((now - last) * rate) / 1_000)
      last = now
      for (; owed >= 1; owed--) {
        send()
        sent++
      }
      if (now - start < ms) setTimeout(tick, 1)
      else resolve({ sent, seconds: (performance.now() - start) / 1_000 })
    }
    tick()
  })
}
